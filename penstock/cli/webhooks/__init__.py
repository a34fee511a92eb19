"""Commands for operators: the webhooks of a stack."""
