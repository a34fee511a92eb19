"""What operators see of a dispatcher."""
