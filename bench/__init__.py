"""Repeatable benchmarks: figures as one table, comparable within one run."""
