"""What operators see of a stack, and what calls them."""
