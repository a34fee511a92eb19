"""What containers are made from, as far as a process can be made from it."""
