"""What the processes need from the outside, as protocols; adapters provide them."""
