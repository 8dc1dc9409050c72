"""What the workers of a cluster must have: the versions and the files of this process."""

import platform
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from scopewatch.core.errors import ClusterError, complaint

if TYPE_CHECKING:
    from distributed import Client

# What talks to each other, and what a score or a picture depends on.
_TALKING: Final = ("dask", "distributed", "cloudpickle", "msgpack")
SCORING: Final = (
    *("scopewatch", "ai-edge-litert", "tflite-runtime"),
    *("numpy", "scipy", "pillow", "tifffile"),
)

Versions = Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What workers of a cluster must have, also those that join while it works.

    Parameters
    ----------
    versions
        By package.
    paths
        Where the raw data lie.
    """

    scheduler: str
    versions: Versions
    paths: Sequence[str]

    def check(self, worker: str) -> None:
        """Compare with what this process has, which is the worker of that name.

        Raises
        ------
        ClusterError
            Naming the first difference.
        """
        there = versions_here(tuple(self.versions))
        _refuse_other(f"worker {worker}", self.scheduler, self.versions, there)
        missing = _first_missing(self.paths)
        if missing is not None:
            raise _unseen(missing, worker, self.scheduler)


def versions_here(packages: Sequence[str] = ("python", *SCORING)) -> Versions:
    """Return which versions this process has; None for what is not installed."""
    found: dict[str, str | None] = dict.fromkeys(packages)
    for name in packages:
        with suppress(PackageNotFoundError):
            found[name] = platform.python_version() if name == "python" else version(name)
    return found


def check_versions(found: Mapping[str, Any], scheduler: str) -> None:
    """Compare what this process, the scheduler and the workers have installed.

    Parameters
    ----------
    found
        What `Client.get_versions` returns.

    Raises
    ------
    ClusterError
        Naming the first difference.
    """
    ours: Versions = found["client"]["packages"]
    others: list[tuple[str, Versions, tuple[str, ...]]] = [
        ("scheduler", found["scheduler"]["packages"], _TALKING)
    ]
    others += [
        (f"worker {name}", each["packages"], tuple(ours)) for name, each in found["workers"].items()
    ]
    for who, theirs, names in others:
        compared = {name: ours.get(name) for name in ("python", *names)}
        _refuse_other(who, scheduler, compared, theirs)


def check_paths(client: "Client", paths: Sequence[Path], scheduler: str) -> None:
    """Refuse a cluster on which some worker does not see the raw data.

    Raises
    ------
    ClusterError
        Naming the worker and the path.
    """
    for worker, missing in client.run(_first_missing, list(map(str, paths))).items():
        if missing is not None:
            raise _unseen(missing, worker, scheduler)


def _refuse_other(who: str, scheduler: str, ours: Versions, theirs: Versions) -> None:
    for name in ours:
        here, there = _short(name, ours[name]), _short(name, theirs.get(name))
        if here != there:
            raise ClusterError(
                complaint(
                    f"{who} of the cluster has another version of {name}",
                    where=scheduler,
                    expected=here or "none",
                    got=there or "none",
                    do="install scopewatch with the same constraints.txt on every machine",
                )
            )


def _short(name: str, found: str | None) -> str | None:
    """Return the part of a version that matters: 3.11 of a Python."""
    return ".".join(found.split(".")[:2]) if name == "python" and found else found


def _unseen(missing: str, worker: str, scheduler: str) -> ClusterError:
    return ClusterError(
        complaint(
            "worker of the cluster does not see the files",
            where=missing,
            got=f"nothing there on {worker} of {scheduler}",
            do="mount the share there under the same path",
        )
    )


def _first_missing(paths: Sequence[str]) -> str | None:
    return next((path for path in paths if not Path(path).exists()), None)
