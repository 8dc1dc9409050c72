"""What comes with scopewatch besides its code: the example configuration, units, documentation.

A wheel carries them within the package (`pyproject.toml`), a checkout has them at its root.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import scopewatch
from scopewatch.core.errors import ConfigError, StoreError, complaint
from scopewatch.inference.shipped import SHIPPED, bundled_model

KIT = ("config.yaml", "constraints.txt", "systemd", "docs")
_BUNDLE = "bundle: models/simulated-cardiomyocyte"


def lay_down(folder: Path) -> Iterator[Path]:
    """Copy the kit into a folder; the configuration names the model where it really lies.

    Yields
    ------
    What was written, as it is written.

    Raises
    ------
    ConfigError
        When one of the files is there already: nothing is written over.
    StoreError
        When it cannot be written.
    """
    there = [name for name in KIT if (folder / name).exists()]
    if there:
        raise ConfigError(
            complaint(
                "files are there already",
                where=folder,
                got=", ".join(there),
                do="name a folder without them",
            )
        )
    root = kit_root()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in KIT:
            source, target = root / name, folder / name
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                shutil.copyfile(source, target)
            if name == "config.yaml":
                _point_at_model(target)
            yield target
    except OSError as error:
        raise StoreError(
            complaint(
                "files cannot be written",
                where=folder,
                got=error.strerror or error,
                do="name a folder that can be written to",
            )
        ) from error


def kit_root() -> Path:
    """Return the folder that the kit lies in.

    Raises
    ------
    ConfigError
        When it did not come with this installation.
    """
    package = Path(scopewatch.__file__).resolve().parent
    for root in (package / "kit", package.parents[1]):
        if all((root / name).exists() for name in KIT):
            return root
    raise ConfigError(
        complaint(
            "example configuration and units did not come with this installation",
            where=package,
            do="reinstall it",
        )
    )


def _point_at_model(config: Path) -> None:
    text = config.read_text(encoding="utf-8")
    bundle = str(bundled_model(SHIPPED)).replace("'", "''")
    config.write_text(text.replace(_BUNDLE, f"bundle: '{bundle}'", 1), encoding="utf-8")
