"""Shapes that cross a process boundary, and the ports behind which AWS stands."""
