"""Checks what a reload would start, as a whole, while the daemon works on."""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from scopewatch.app.checking.checks import Checks
from scopewatch.app.checking.run_changes import SUBJECT
from scopewatch.config import Config
from scopewatch.config.secrets import resolve_secrets
from scopewatch.core.errors import ConfigError, ScopewatchError, complaint
from scopewatch.core.imaging.analyse import Scorer
from scopewatch.event_log import get_logger

log = get_logger(__name__)

# An alert is read on a telephone; the log has all of it.
_MOST_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A configuration that passed every check, with what was opened for it."""

    config: Config
    scorer: Scorer


class Reloading:
    """Checks reloads of one daemon; a `runtime.supervision.reload.Reloader`.

    Parameters
    ----------
    path
        The configuration file, which each reload reads again.
    running
        What the daemon runs with.
    refused
        Problems for which the reload before was refused, when it was.
    began
        Called as a check begins, before anything is read.
    """

    def __init__(
        self,
        path: Path,
        environ: Mapping[str, str],
        running: Config,
        *,
        refused: Iterable[str] = (),
        began: Callable[[], None] = lambda: None,
    ) -> None:
        self._path = path
        self._environ = environ
        self._running = running
        self._problems = tuple(refused)
        self._began = began
        self._lock = threading.Lock()
        self._round = 0
        self.candidate: Candidate | None = None

    def refusal(self) -> str:
        """Return why the last reload was refused; empty when none was. Any thread may ask."""
        return sum_up(self._problems)

    def begin(self, done: Callable[[bool], None]) -> None:
        """Check in a thread of its own: a dead share must hold up neither watchdog nor frames."""
        self._began()
        with self._lock:
            self._round += 1
            check = self._round
        threading.Thread(target=self._check, args=(check, done), name="reload", daemon=True).start()

    def give_up(self, why: str) -> None:
        """Count the check that is under way as refused."""
        line = complaint(
            why, where=self._path, do="is a share away that it names? then reload again"
        )
        with self._lock:
            self._round += 1
            self._problems = (line,)
        log_refused([line])

    def _check(self, check: int, done: Callable[[bool], None]) -> None:
        candidate: Candidate | None = None
        problems: tuple[str, ...] = ()
        try:
            candidate = check_reload(self._path, self._environ, self._running)
        except ScopewatchError as error:
            problems = tuple(str(error).splitlines())
        except Exception as error:
            # Thread boundary: whatever it was, the daemon goes on with what it has.
            log.exception("reload failed unexpectedly")
            problems = (f"{type(error).__name__}: {error}",)
        with self._lock:
            if check != self._round:
                return
            self.candidate, self._problems = candidate, problems
        log_refused(problems)
        done(candidate is not None)


def check_reload(path: Path, environ: Mapping[str, str], running: Config) -> Candidate:
    """Check a changed configuration and all it names, as a start would.

    What a start waits for, a share that is away, is no reason to refuse.

    Raises
    ------
    ScopewatchError
        One line for each problem.
    """
    checks = Checks(path, environ)
    findings = list(checks.run())
    failed = [finding for finding in findings if finding.failed]
    lines = [finding.text for finding in failed]
    if any(finding.lasting for finding in failed):
        raise ConfigError("\n".join(dict.fromkeys(lines)))
    if checks.config is None or checks.scorer is None:
        raise RuntimeError("a reload failed without a reason")
    # What was checked, and not read again: the file may have changed since.
    config = resolve_secrets(checks.config, environ)
    before, now = running.state.folder, config.state.folder
    if before.resolve() != now.resolve():
        raise ConfigError(
            "\n".join(
                [
                    complaint(
                        "the state folder cannot be changed by a reload",
                        where=f"{path}: state.folder",
                        expected=before,
                        got=now,
                        do="stop scopewatch, move the folder, start it again",
                    ),
                    *lines,
                ]
            )
        )
    for line in lines:
        log.warning("reload goes on without it", why=line)
    log_changes(finding.text for finding in findings if finding.subject == SUBJECT)
    return Candidate(config=config, scorer=checks.scorer)


def log_changes(lines: Iterable[str]) -> None:
    """Log what a configuration changes of the run, before it takes effect."""
    for line in lines:
        log.warning("settings are not those of the run so far", why=line)


def log_refused(problems: Iterable[str]) -> None:
    """Log each problem of a reload that was refused."""
    for line in problems:
        log.error("reload refused", why=line)


def sum_up(problems: tuple[str, ...]) -> str:
    """Write problems in one line, as an alert shows them."""
    left = len(problems) - _MOST_SHOWN
    shown = " | ".join(problems[:_MOST_SHOWN])
    return f"{shown} | and {left} more in the log" if left > 0 else shown


def name_changes(before: Config, now: Config) -> list[str]:
    """Name the sections that differ; their values may be secret."""
    return [name for name in type(now).model_fields if getattr(before, name) != getattr(now, name)]
