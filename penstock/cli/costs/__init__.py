"""What machines there are and what a stack costs."""
