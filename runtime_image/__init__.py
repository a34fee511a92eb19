"""What runs in the worker pod."""
