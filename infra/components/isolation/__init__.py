"""Who may talk to whom inside a cluster."""
