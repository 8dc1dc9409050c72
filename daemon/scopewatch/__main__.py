"""`python -m scopewatch` is `scopewatch`."""

from scopewatch.cli import main

if __name__ == "__main__":
    main()
