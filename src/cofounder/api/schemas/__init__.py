"""What goes over the wire. Models that are sent have no defaults, so no field is optional."""
