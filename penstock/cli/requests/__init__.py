"""Commands for callers: submit requests, follow them, fetch results."""
