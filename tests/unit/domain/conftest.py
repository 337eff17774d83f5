"""Properties of pure rules: the same examples in every run, and no time limit for each."""

from hypothesis import settings

settings.register_profile("domain", derandomize=True, database=None, deadline=None, max_examples=60)
settings.load_profile("domain")
