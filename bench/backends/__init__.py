"""What stands behind the ports while something is measured, and requests to put there."""
