"""What a stack can be told: one typed block, checked before anything is declared."""
