"""Which request goes when, and how it is kept meanwhile."""
