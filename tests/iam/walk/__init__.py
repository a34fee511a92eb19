"""Everything that each process does, done once."""
