"""What the agent can do. One file a tool, and the registry that names them all."""
