"""What operators see of every process: the names of metrics, and traces that cross processes."""
