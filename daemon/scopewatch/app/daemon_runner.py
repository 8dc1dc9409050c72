"""Runs one daemon after another in the same process: each reload builds a new one.

build --> run --stop, or a failure--> end
             '--reload--> build the new one --cannot start--> build the old one again
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from scopewatch.app.checking.run_changes import explain_run
from scopewatch.app.daemon import Application, build
from scopewatch.app.reloading import Reloading, log_changes, log_refused, name_changes
from scopewatch.config import Config
from scopewatch.core.clock import Clock
from scopewatch.core.errors import ScopewatchError
from scopewatch.core.imaging.analyse import Scorer
from scopewatch.event_log import get_logger
from scopewatch.runtime.supervision.stages import ExitReport

log = get_logger(__name__)


class DaemonRunner:
    """Runs the daemon of a configuration until it is asked to stop, over reloads.

    Parameters
    ----------
    path
        The file that each reload reads.
    config
        What was read from it, with its secrets.
    prepare
        Called with each configuration that is taken up, before its daemon is built.
    """

    def __init__(
        self,
        path: Path,
        config: Config,
        *,
        clock: Clock,
        environ: Mapping[str, str],
        pid: int,
        prepare: Callable[[Config], None],
    ) -> None:
        self._path = path
        self._config = config
        self._clock = clock
        self._environ = environ
        self._pid = pid
        self._prepare = prepare
        self._ended = False
        # Reloads asked for, and up to which of them the files have been looked at.
        self._asked = 0
        self._looked = 0
        self._reloading = self._watch_reloads(config)
        self._daemon: Application | None = None

    def build(self) -> None:
        """Build the first daemon; raises what `app.daemon.build` does."""
        log_changes(explain_run(self._config, self._clock.now()))
        self._daemon = self._build(self._config, None, starts=True)

    def run(self) -> ExitReport:
        """Run until asked to stop. Raises ScopewatchError when the first daemon cannot start."""
        exit_report = self._run_daemon()
        while exit_report.reload and not self._ended:
            exit_report = self._reload()
        return exit_report

    def stop(self) -> None:
        """Ask it to stop; any thread and signal handlers may call it."""
        self._ended = True
        if self._daemon is not None:
            self._daemon.stop()

    def reload(self) -> None:
        """Ask for what is configured now; any thread and signal handlers may call it."""
        self._asked += 1
        if self._daemon is not None:
            self._daemon.reload()

    def _reload(self) -> ExitReport:
        candidate, before = self._reloading.candidate, self._config
        if candidate is None:
            raise RuntimeError("a reload was begun that nothing was found for")
        # The old one is let go of, with its model, before the new one is built.
        self._daemon = None
        self._config = candidate.config
        self._reloading = self._watch_reloads(self._config)
        try:
            self._prepare(self._config)
            self._daemon = self._build(self._config, candidate.scorer)
        except Exception as error:
            # Whatever it was, the run is watched on with what worked.
            log.exception("new daemon cannot be built")
            return self._go_back(before, error)
        changed = name_changes(before, self._config)
        model_id = candidate.scorer.card.model_id
        log.info(
            "configuration taken up", changed=", ".join(changed) or "nothing", model_id=model_id
        )
        try:
            return self._run_daemon()
        except ScopewatchError as error:
            return self._go_back(before, error)

    def _go_back(self, before: Config, error: Exception) -> ExitReport:
        """Return to the old configuration: the new one passed every check but cannot start."""
        problems = str(error).splitlines() or [type(error).__name__]
        self._daemon = None
        self._config = before
        self._prepare(before)
        log_refused(problems)
        self._reloading = self._watch_reloads(before, problems)
        try:
            self._daemon = self._build(before, None)
            return self._run_daemon()
        except ScopewatchError as failure:
            # Not a ConfigError: it ran with this configuration, so starting again may help.
            raise ScopewatchError(str(failure)) from error

    def _watch_reloads(self, config: Config, refused: list[str] | None = None) -> Reloading:
        return Reloading(
            self._path, self._environ, config, refused=refused or (), began=self._note_look
        )

    def _note_look(self) -> None:
        self._looked = self._asked

    def _build(self, config: Config, scorer: Scorer | None, *, starts: bool = False) -> Application:
        for old in config.deprecations:
            log.warning("deprecated name in use", what=str(old))
        return build(
            config,
            clock=self._clock,
            environ=self._environ,
            pid=self._pid,
            scorer=scorer,
            reloading=self._reloading,
            starts=starts,
        )

    def _run_daemon(self) -> ExitReport:
        daemon = self._daemon
        if daemon is None:
            raise RuntimeError("there is no daemon to run: build it first")
        # What was asked for while there was nobody to ask.
        if self._ended:
            daemon.stop()
        elif self._asked > self._looked:
            daemon.reload()
        return daemon.run()
