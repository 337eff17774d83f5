"""The house rules that no other program checks, each a small function over one file.

`python -m tools.house` prints one line per violation and exits with 1 if there is any. There
is no list of exceptions: a rule either names the one place where a thing lives, or it holds
everywhere.
"""
