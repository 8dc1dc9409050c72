"""Processes that are killed within the commit that raises an alert, one after each statement.

    python -m tests.integration.killed_commits FOLDER [PORT]

`FOLDER/prepared` is copied for each; the process that is killed at statement n works in
`FOLDER/n`. With PORT, both are databases of the server that listens there. Prints how many
statements the commit takes. A process of its own, without threads, so that it may fork.
"""

import os
import sys
from pathlib import Path

from sqlalchemy import Engine, event

from scopewatch.store.schema.place import Place
from tests.conftest import FakeClock
from tests.postgres import Databases, Folders, OnServer, Places
from tests.unit.store.scene import Scene, key, open_store, ticket

KILLED = 9
WHOLE = 0


def record(place: Place, kill_after: int) -> int:
    """Record the frame that raises the alert; end the process after so many statements."""
    scene = Scene(store=open_store(place, FakeClock()), place=place)
    executed = 0

    def count(*_: object) -> None:
        nonlocal executed
        executed += 1
        if executed == kill_after:
            os._exit(KILLED)

    event.listen(Engine, "after_cursor_execute", count)
    scene.commit(ticket(key(time_point=1)), 0.1)
    return executed


def main() -> None:
    """Kill a process after each statement, until one comes to its end."""
    root = Path(sys.argv[1])
    places: Places = Folders()
    if sys.argv[2:]:
        places = OnServer(Databases(int(sys.argv[2])))
    for statement in range(1, 1000):
        folder = root / str(statement)
        places.copy(root / "prepared", folder)
        child = os.fork()
        if child == 0:
            record(places.of(folder), statement)
            os._exit(WHOLE)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) == WHOLE:
            sys.stdout.write(str(statement - 1))
            return
        assert os.waitstatus_to_exitcode(status) == KILLED
    raise AssertionError("the commit does not end")


if __name__ == "__main__":
    main()
