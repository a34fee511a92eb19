"""The EKS cluster that workers run in."""
