"""Use cases. Each public method is one transaction; adapters commit it, services do not."""
