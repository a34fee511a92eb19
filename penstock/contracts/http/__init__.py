"""The HTTP surface: routes, and the bodies that travel over them."""
