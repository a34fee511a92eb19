"""What a deployed stack tells those who use it."""
