"""Commands for operators: the keys of a stack."""
