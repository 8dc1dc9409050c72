"""`python -m scopewatch_training` is `scopewatch-train`."""

from scopewatch_training.cli.main import main

if __name__ == "__main__":
    main()
