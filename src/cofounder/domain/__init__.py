"""What is true: frozen values and pure rules. No input or output, no clock reads."""
