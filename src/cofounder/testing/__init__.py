"""Fakes and builders that are shipped, so that users can test their own agents with them."""
