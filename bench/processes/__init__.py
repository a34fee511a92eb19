"""Programs that are measured, each in a process of its own, so that its CPU is its own."""
