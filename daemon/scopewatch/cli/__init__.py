"""The command line: `scopewatch COMMAND`. Exit codes: 0 done, 1 failed, 2 wrong call or config."""

from scopewatch.cli.main import main

__all__ = ["main"]
