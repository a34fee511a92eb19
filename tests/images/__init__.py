"""`make image-check`: the images are really built, and requests finish on them."""
