"""Every call of the API as a value, and what is to be called next. No I/O but reading files."""
