"""Whose a stack's things are, and under which key they lie."""
