"""The HTTP side of the pod, as the dispatcher sees it."""
