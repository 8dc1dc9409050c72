"""Who corrects: the name that goes with each decision where none was given."""

from getpass import getuser
from typing import Final

from scopewatch.core.errors import ConfigError, complaint

LONGEST_NAME: Final = 100


def author_name(given: str, *, where: str, do: str) -> str:
    """Return the name that goes with decisions: the one given, or that of the user.

    Parameters
    ----------
    where, do
        Where a name may be given, and how, for the message.

    Raises
    ------
    ConfigError
        When it cannot be a name, or none was given and the user has none.
    """
    name = given.strip()
    if len(name) > LONGEST_NAME or any(each < " " for each in name):
        raise ConfigError(
            complaint(
                "name of the author cannot be kept",
                where=where,
                expected=f"one line of at most {LONGEST_NAME} letters",
                got=f"{len(name)} letters: {name[:20]!r}...",
                do="give a shorter name",
            )
        )
    return name or user_name(where=where, do=do)


def user_name(*, where: str, do: str) -> str:
    """Return the name of the user of this machine.

    Parameters
    ----------
    where, do
        Where a name may be given, and how, for the message.

    Raises
    ------
    ConfigError
        When the user has no name, as in a container.
    """
    try:
        return getuser()
    except (OSError, KeyError, ImportError) as error:
        raise ConfigError(
            complaint(
                "nobody knows who reviews",
                where=where,
                got="no user name on this machine",
                do=do,
            )
        ) from error
