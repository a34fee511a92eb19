"""What the platform itself installs into a cluster, by Helm."""
