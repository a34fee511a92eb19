"""The parts of a stack; each hands out the permissions to use it."""
