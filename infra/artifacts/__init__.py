"""What is built before it is declared: the Lambda archive and the contexts of images."""
