"""Groups of machines that join a cluster."""
