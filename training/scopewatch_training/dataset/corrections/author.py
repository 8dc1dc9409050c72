"""Who corrects: the name that goes with each decision where none was given."""

from getpass import getuser

from scopewatch.core.errors import ConfigError, complaint


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
