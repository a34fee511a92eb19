"""Lambda functions: one folder each."""
