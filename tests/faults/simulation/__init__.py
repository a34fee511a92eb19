"""A whole stack on one thread and one clock; whose call is next, and its end, are chosen."""
