"""The HTTP API and the functions behind it."""
