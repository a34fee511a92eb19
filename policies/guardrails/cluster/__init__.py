"""The cluster, its nodes and what they cost."""
