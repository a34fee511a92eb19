"""Many requests while their workers are killed and AWS fails; prints one line."""
