"""Looking after requests that nobody moves any more."""
