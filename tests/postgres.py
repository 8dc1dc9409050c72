"""A PostgreSQL server of the tests' own, from the programs that Debian installs.

It listens on loopback alone. What it committed survives its own end, not that of the machine.
"""

import hashlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import pytest

from scopewatch.store.schema.place import Place, Server

NEEDED = "SCOPEWATCH_NEEDS_POSTGRES"
_INSTALLED = Path("/usr/lib/postgresql")
_USER = "scopewatch"
_TEMPLATE = "with_functions"
_SETTINGS = {
    "autovacuum": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "32MB",
}
# As it survives a power cut of the machine, too.
_SAFE = {"fsync": "on", "full_page_writes": "on"}
# What queries of the tests use, and SQLite has of its own.
_FUNCTIONS = (
    "CREATE FUNCTION hex(bytea) RETURNS text LANGUAGE sql IMMUTABLE"
    " AS $$ SELECT upper(encode($1, 'hex')) $$",
)


def find_programs() -> Path:
    """Return the folder of the newest server's programs; skip, or fail, where there is none."""
    found = sorted(_INSTALLED.glob("*/bin/initdb"), key=lambda each: int(each.parts[-3]))
    try:
        import psycopg  # noqa: F401, PLC0415 - an extra
    except ImportError:
        _is_missing("psycopg is not installed: pip install 'scopewatch[postgres]'")
    if not found:
        _is_missing(f"no PostgreSQL server below {_INSTALLED}: apt-get install postgresql")
    return found[-1].parent


def _is_missing(reason: str) -> None:
    if os.environ.get(NEEDED):
        pytest.fail(f"{NEEDED} is set, and {reason}")
    pytest.skip(reason)


class Databases:
    """The databases of a server that runs on this machine.

    Parameters
    ----------
    port
        Where it listens.
    """

    def __init__(self, port: int) -> None:
        self.port = port

    def new_database(self, name: str, copied_from: str = _TEMPLATE) -> str:
        """Make a database, empty or a copy of another one; return its name."""
        self.run("postgres", f'CREATE DATABASE "{name}" TEMPLATE "{copied_from}"')
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is connected to it."""
        self.run("postgres", f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def url(self, database: str) -> str:
        """Return the address of a database."""
        return f"postgresql+psycopg://{_USER}:secret-word@127.0.0.1:{self.port}/{database}"

    def place(self, database: str, daemon: str = "scope-1") -> Server:
        """Return the results of a daemon in a database."""
        return Server(url=self.url(database), daemon=daemon)

    def run(self, database: str, *statements: str) -> None:
        """Run statements, each by itself."""
        with closing(self.connect(database)) as connection:
            for each in statements:
                connection.execute(each)

    def connect(self, database: str) -> Any:
        """Return a connection of the server's administrator."""
        return _driver().connect(
            host="127.0.0.1", port=self.port, user=_USER, dbname=database, autocommit=True
        )


class PostgresServer(Databases):
    """A server in a folder of its own.

    Root starts it as another user, since PostgreSQL refuses to run as root.

    Parameters
    ----------
    safe
        Whether what was committed survives the end of the machine, too.
    """

    def __init__(self, programs: Path, *, safe: bool = False) -> None:
        super().__init__(_free_port())
        self._settings = {**_SETTINGS, **(_SAFE if safe else {})}
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="scopewatch-postgres-"))
        self._user = _other_user()
        if self._user is not None:
            os.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
        self._numbers = count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._call(
            "initdb",
            *("-D", str(self._data), "-U", _USER, "-A", "trust", "-E", "UTF8"),
            *("--locale=C.UTF-8", "--no-sync"),
        )

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return (self._folder / "log").read_text(encoding="utf-8")

    def start(self) -> None:
        """Start it where it does not run, and wait until it answers."""
        if self._process is not None:
            return
        settings = [f"-c{name}={value}" for name, value in self._settings.items()]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self._programs / "postgres",
                    *("-D", self._data, "-h", "127.0.0.1", "-p", str(self.port)),
                    *("-k", self._folder),
                    *settings,
                ],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                **self._as_user(),
            )
        deadline = time.monotonic() + 30
        while True:
            try:
                self.connect("postgres").close()
            except _driver().OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"PostgreSQL does not start: {self.log}")
                time.sleep(0.02)
            else:
                return

    def stop(self, how: str = "fast") -> None:
        """Stop it; `immediate` is as if the power failed."""
        if self._process is not None:
            self._call("pg_ctl", "stop", "-D", str(self._data), "-m", how, "-w")
            self._process.wait(30)
            self._process = None

    def restart(self, how: str = "fast") -> None:
        """Stop it, and start it again."""
        self.stop(how)
        self.start()

    def remove(self) -> None:
        """Stop it, and remove all that it stored."""
        self.stop("immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    def make_template(self) -> None:
        """Make what new databases are copies of."""
        self.run("postgres", f"CREATE DATABASE {_TEMPLATE}")
        self.run(_TEMPLATE, *_FUNCTIONS)

    def next_name(self) -> str:
        """Return a name that no database has had."""
        return f"test_{next(self._numbers)}"

    def _call(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, *arguments],
            check=True,
            capture_output=True,
            cwd=self._folder,
            **self._as_user(),
        )

    def _as_user(self) -> dict[str, Any]:
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}


def read_server(place: Server, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query of a daemon's results."""
    (rows,) = read_all(place, [query])
    return rows


def read_all(place: Server, queries: Iterable[str]) -> list[list[tuple[Any, ...]]]:
    """Return the rows of several queries of a daemon's results."""
    address = place.url.replace("+psycopg", "")
    path = f'-c search_path="{place.schema}",public'
    with closing(_driver().connect(address, options=path)) as connection:
        # As SQLite does, JSON as the text that was stored.
        _driver().types.json.set_json_loads(bytes.decode, connection)
        return [list(connection.execute(query)) for query in queries]


class Places(Protocol):
    """Where results are, for each folder of a test."""

    def of(self, folder: Path) -> Place:
        """Return the place of a folder: always the same for the same one."""
        ...

    def copy(self, folder: Path, to: Path) -> None:
        """Copy the results of a folder that nobody has open."""
        ...


class Folders:
    """Results in the folders themselves, by SQLite."""

    def of(self, folder: Path) -> Place:
        """Return the folder."""
        return folder

    def copy(self, folder: Path, to: Path) -> None:
        """Copy the folder."""
        shutil.copytree(folder, to)


class OnServer:
    """Results of a daemon on a server: a database for each folder."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self._names: dict[Path, str] = {}

    def of(self, folder: Path) -> Place:
        """Return the daemon's schema in the folder's database, which is made where it is new."""
        if folder not in self._names:
            self._names[folder] = self._databases.new_database(_name_of(folder))
        return self._databases.place(self._names[folder])

    def copy(self, folder: Path, to: Path) -> None:
        """Copy the folder's database."""
        self._names[to] = self._databases.new_database(_name_of(to), _name_of(folder))

    def known(self, folder: Path) -> "OnServer":
        """Take up a database that another process has made for a folder."""
        self._names[folder] = _name_of(folder)
        return self

    def drop(self) -> None:
        """Drop every database."""
        for name in self._names.values():
            self._databases.drop_database(name)
        self._names.clear()


def _name_of(folder: Path) -> str:
    return f"folder_{hashlib.sha256(str(folder).encode()).hexdigest()[:24]}"


@contextmanager
def running_server(*, safe: bool = False) -> Iterator[PostgresServer]:
    """A server that runs; skip where PostgreSQL is not installed."""
    server = PostgresServer(find_programs(), safe=safe)
    try:
        server.start()
        server.make_template()
        yield server
    finally:
        server.remove()


def _driver() -> Any:
    import psycopg.types.json  # noqa: PLC0415 - an extra

    return psycopg


def _other_user() -> "pwd.struct_passwd | None":
    """Return a user without rights, where the tests have all of them."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    _is_missing("PostgreSQL does not run as root, and there is no user postgres or nobody")
    return None


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
