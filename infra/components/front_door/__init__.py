"""What stands between callers and the API: its domain name and its firewall."""
