"""What a stack costs, from its settings alone."""
