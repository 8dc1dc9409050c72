"""`python -m scopewatch_training` is `scopewatch-train`."""

from scopewatch_training.cli import main

if __name__ == "__main__":
    main()
