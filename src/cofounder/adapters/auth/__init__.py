"""Ways to tell who is asking."""
