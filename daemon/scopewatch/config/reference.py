"""References to secrets outside the configuration file; see `config.secrets`."""

import re
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, SecretStr

REFERENCE: Final = re.compile(r"(?P<kind>env|file|credential):(?P<name>.+)", re.DOTALL)
_NAME: Final = re.compile(r"[A-Za-z0-9_][\w.-]*")


def is_reference(written: str) -> bool:
    """Return whether a text is a reference to a secret rather than the secret."""
    return REFERENCE.match(written) is not None


def _is_well_formed(secret: SecretStr) -> SecretStr:
    found = REFERENCE.match(secret.get_secret_value())
    if found is None:
        return secret
    if found["kind"] == "file":
        if not Path(found["name"]).is_absolute():
            raise ValueError("a secret in a file is written file: and its whole path, file:/path")
    elif _NAME.fullmatch(found["name"]) is None:
        raise ValueError(f"a secret from elsewhere is written {found['kind']}: and a plain name")
    return secret


# A plain secret, or a reference to one.
Secret = Annotated[SecretStr, AfterValidator(_is_well_formed)]
