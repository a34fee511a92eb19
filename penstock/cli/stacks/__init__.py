"""Files of stacks."""
