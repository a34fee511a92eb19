"""From settings to KEDA's ScaledObject, and what KEDA and the HPA make of it."""
