"""The outside world behind the ports: databases, the model provider, the sandbox."""
