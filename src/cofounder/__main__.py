"""`python -m cofounder` is the command line."""

from cofounder.cli import main

if __name__ == "__main__":
    main()
