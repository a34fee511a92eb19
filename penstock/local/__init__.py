"""The whole platform on one machine: an emulated AWS, and worker processes instead of a cluster."""
