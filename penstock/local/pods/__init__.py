"""Worker pods as processes, scaled as KEDA would scale them."""
