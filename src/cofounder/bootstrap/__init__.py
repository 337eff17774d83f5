"""The only place that wires: settings in, a running service out."""
