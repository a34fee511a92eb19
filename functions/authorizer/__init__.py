"""Who calls: an API key becomes a tenant."""
