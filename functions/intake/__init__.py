"""Taking requests in."""
