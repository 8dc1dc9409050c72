"""`scopewatch run` and `scopewatch check`."""

# Imports are within the commands: `scopewatch --help` must not load them.
# ruff: noqa: PLC0415

import faulthandler
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from scopewatch.app.checking.finding import Finding
    from scopewatch.app.daemon_runner import DaemonRunner
    from scopewatch.config import Config
    from scopewatch.runtime.process.log_file import LogFile
    from scopewatch.runtime.supervision.stages import ExitReport

ConfigPath = Annotated[
    Path, typer.Option("--config", "-c", metavar="FILE", help="The configuration.")
]
DEFAULT_CONFIG = Path("config.yaml")
# Not 1, so that a service manager can distinguish a hang from a crash.
HUNG = 3


def run(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Watch, score and warn until stopped: the daemon.

    SIGTERM finishes the current frame and ends it; SIGHUP reloads configuration and model.

    Example: scopewatch run -c config.yaml
    """
    from scopewatch.runtime.process.memory import share_one_heap

    _leave_hangups()
    share_one_heap()
    with _without_collector():
        runner = _build(config)
    _on_signals(runner.stop, runner.reload)
    exit_report = runner.run()
    code = _status(exit_report)
    if exit_report.hung:
        # Shows where it hangs, as SIGABRT from systemd's watchdog would.
        faulthandler.dump_traceback(sys.stderr)
    # Everything that counts is committed. A thread that hangs, in native code or on a dead share,
    # would be waited for by Python; and its way out has been seen to hang itself, late, after a
    # reload: the model's native library was loaded and let go of several times by then.
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def check(
    config: ConfigPath = DEFAULT_CONFIG,
    connect: Annotated[
        bool,
        typer.Option("--connect", help="Load the microscope's core too; nothing is moved."),
    ] = False,
) -> None:
    """Check config, model, folders, database, alert channels, microscopes.

    It changes nothing. Each line says ok or what to do; the exit code is 1 when any check failed.

    Example: scopewatch check -c config.yaml
    """
    from scopewatch.app.checking.checks import run_checks

    if show_findings(run_checks(config, os.environ, connect=connect)):
        raise typer.Exit(1)


def show_findings(findings: Iterable["Finding"]) -> bool:
    """Print each finding as it is made; return whether one failed."""
    failed = False
    for finding in findings:
        failed = failed or finding.failed
        mark = "FAIL" if finding.failed else "note" if finding.advice else "ok"
        typer.echo(f"{mark:<4}  {finding.subject}: {finding.text}")
    return failed


def _log_file(settings: "Config") -> "LogFile | None":
    from scopewatch.runtime.process.log_file import LogFile

    wanted = settings.logging
    if wanted.file is None:
        return None
    return LogFile(path=wanted.file, max_bytes=int(wanted.max_mb * 1e6), keep=wanted.keep)


def _status(exit_report: "ExitReport") -> int:
    if exit_report.hung:
        return HUNG
    return 1 if exit_report.failed_stage else 0


@contextmanager
def _without_collector() -> Iterator[None]:
    """Start without the garbage collector: a sixth of the time, and what is loaded stays anyway."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _build(config: Path) -> "DaemonRunner":
    """Build the first daemon of a configuration; exit with its problems where that fails."""
    from scopewatch.app.daemon_runner import DaemonRunner
    from scopewatch.config import load_config
    from scopewatch.config.secrets import resolve_secrets
    from scopewatch.runtime.clock import SystemClock

    with _all_problems_at_once(config):
        settings = resolve_secrets(load_config(config), os.environ)
    write_logs = _Logs(debug=logging.getLogger().level == logging.DEBUG)
    write_logs(settings)
    runner = DaemonRunner(
        config,
        settings,
        clock=SystemClock(),
        environ=os.environ,
        pid=os.getpid(),
        prepare=write_logs,
    )
    with _all_problems_at_once(config):
        runner.build()
    return runner


@contextmanager
def _all_problems_at_once(path: Path) -> Iterator[None]:
    """Complete the error of a refused start with all other problems that `check` finds."""
    from scopewatch.core.errors import ConfigError, ModelError

    try:
        yield
    except (ConfigError, ModelError) as error:
        from scopewatch.app.checking.checks import list_problems

        lines = [*str(error).splitlines(), *list_problems(path, os.environ)]
        raise ConfigError("\n".join(dict.fromkeys(lines))) from error


class _Logs:
    """Sets the log up by a configuration; secrets of earlier ones stay hidden, too."""

    def __init__(self, *, debug: bool) -> None:
        self._debug = debug
        self._secrets: frozenset[str] = frozenset()

    def __call__(self, settings: "Config") -> None:
        from scopewatch.config.secrets import known_secrets
        from scopewatch.runtime.process.logs import set_up_logs

        self._secrets |= known_secrets(settings)
        set_up_logs(
            level="debug" if self._debug else settings.runtime.log_level,
            as_json=settings.runtime.log_format == "json",
            secrets=self._secrets,
            file=_log_file(settings),
        )


def _leave_hangups() -> None:
    """Let SIGHUP pass until there is something to reload; by itself it would end the process."""
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _on_signals(stop: Callable[[], None], reload: Callable[[], None]) -> None:
    def handle(received: int, _frame: FrameType | None) -> None:
        if received in (signal.SIGTERM, signal.SIGINT):
            stop()
        else:
            reload()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, handle)
