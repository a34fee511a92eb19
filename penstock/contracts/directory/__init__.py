"""Who may call, and what may be called."""
