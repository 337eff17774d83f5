"""Cofounder: an autonomous software-building agent on a fixed, paced budget."""

__version__ = "0.1.0"
