"""How the agent thinks: the loop, its guards, its retries, its prompt and its tools."""
