"""The HTTP interface: JSON, problems in the form of RFC 9457, and the event stream."""
