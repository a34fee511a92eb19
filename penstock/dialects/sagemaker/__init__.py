"""Amazon SageMaker Asynchronous Inference, as `InvokeEndpointAsync` and its clients know it."""
