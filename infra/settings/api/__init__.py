"""What can be said of the HTTP API."""
