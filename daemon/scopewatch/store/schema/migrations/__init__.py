"""How the database came to its present shape, one step per file in `versions`."""

from typing import Final

# The newest of them.
SCHEMA: Final = "0010"
