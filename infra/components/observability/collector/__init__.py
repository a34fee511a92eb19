"""What brings metrics and traces of workers to AWS."""
