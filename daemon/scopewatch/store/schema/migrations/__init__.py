"""How the database came to its present shape, one step per file in `versions`.

Up to 0009 the steps are SQLite's alone: a schema on a server begins with the tables as they are.
From there on each step runs on both.
"""

from typing import Final

# The newest of them.
SCHEMA: Final = "0012"
