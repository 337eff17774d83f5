"""Every change of the schema, in order. A file that was released is never changed.

A new one goes into `versions/`, and its number into `schema.HEAD`.
"""
