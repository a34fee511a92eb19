"""The queue side of a worker pod: receives, leases, calls the model server, stores, notifies."""
