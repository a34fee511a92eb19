"""How each type of resource is made."""
