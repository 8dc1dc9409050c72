"""The daemons of a database, read for the dashboard over all of them."""

import secrets
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from scopewatch.app.copying.shown import CopiedPictures, DaemonPictures, UnreadCopies
from scopewatch.app.run_states import RunStates
from scopewatch.app.shared.answers import Answers
from scopewatch.app.shared.condition import CONDITION, read_condition
from scopewatch.app.shared.looking import ParallelLooks
from scopewatch.app.shared.published import PUBLISHED, Published
from scopewatch.core.clock import Clock
from scopewatch.core.errors import ScopewatchError, StoreError, complaint
from scopewatch.core.phrases import Language
from scopewatch.monitoring.run_facts import DaemonSeen
from scopewatch.runtime.process.restart_history import ALIVE, STOPPED, is_of_one_run
from scopewatch.runtime.supervision.stages import Condition
from scopewatch.store.read.liveness import LivenessRecord
from scopewatch.store.read.reader import Reader
from scopewatch.store.schema.engine import list_daemons
from scopewatch.store.schema.place import Server
from scopewatch.web.access.auth_middleware import AuthConfig
from scopewatch.web.daemons import ROOT, DaemonView, UnknownDaemonError
from scopewatch.web.dashboard_context import DashboardContext
from scopewatch.web.header import MAX_OPEN
from scopewatch.web.overlay_images import PictureCopies
from scopewatch.web.plate import answered
from scopewatch.web.rendering import make_templates

# It records once a minute that it is alive, and how it is.
SILENT: Final = timedelta(minutes=3)
# Seconds. A page waits so long for all daemons together, and the server for a question of one.
ANSWER_S: Final = 5.0
_STATEMENT_S: Final = 10.0


def daemon_seen(signs: Mapping[str, LivenessRecord], now: datetime) -> DaemonSeen:
    """Return how a daemon is, by what it recorded last."""
    silent = _silence(signs, now)
    if silent:
        # Not `ready=False`, which means that it is starting.
        return DaemonSeen(complaints=(silent,))
    recorded = signs.get(CONDITION)
    # Until its first record, seconds after its start, nothing is known.
    seen = DaemonSeen(ready=False) if recorded is None else read_condition(recorded.detail)
    if seen.ready or seen.complaints:
        return seen
    return replace(seen, complaints=("the daemon starts: it is not ready yet",))


def _silence(signs: Mapping[str, LivenessRecord], now: datetime) -> str:
    """Return why nothing can be known of a daemon; empty where it is heard."""
    alive, stopped, condition = signs.get(ALIVE), signs.get(STOPPED), signs.get(CONDITION)
    if alive is None:
        return "the daemon has not worked yet; start it"
    if stopped is not None and is_of_one_run(stopped, alive):
        return f"the daemon was stopped at {stopped.at:%Y-%m-%d %H:%M} UTC; start it"
    if alive.at - now > SILENT:
        return (
            f"the daemon was alive at {alive.at:%Y-%m-%d %H:%M} UTC, which is later than now here:"
            " its silence would not be seen; set the clocks of both computers"
        )
    heard = alive.at if condition is None else min(alive.at, condition.at)
    if now - heard > SILENT:
        return (
            f"nothing was heard of the daemon since {heard:%Y-%m-%d %H:%M} UTC; look whether"
            " its computer, its network and scopewatch run"
        )
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """A daemon's results, and what its pages show; `detail` is what it had published then."""

    reader: Reader
    detail: str
    published: Published
    states: RunStates
    context: DashboardContext


class SharedDaemons:
    """Implements `web.daemons.Daemons`; thread-safe.

    Parameters
    ----------
    url
        Of the database.
    pictures
        Where the folders of pictures are seen from here, each named as its daemon; None: where the
        daemons have them.
    copies
        Where pictures of all daemons are copied to; None: it was not given.
    answer_s
        How long the list of all waits for those that do not answer.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        *,
        pictures: Path | None = None,
        copies: CopiedPictures | None = None,
        language: Language | None = None,
        auth: AuthConfig | None = None,
        answer_s: float = ANSWER_S,
    ) -> None:
        self._url = url
        self._clock = clock
        self._pictures = pictures
        self._copies = copies
        self._language = language
        self._auth = auth
        self.token = secrets.token_urlsafe(32)
        # One daemon that does not answer must not hold up those who want another.
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._opened: dict[str, _Opened] = {}
        self._answer_s = answer_s
        self._looks = ParallelLooks(self._view, answer_s)

    def close(self) -> None:
        """Close every connection."""
        self._looks.close()
        for each in list(self._opened.values()):
            each.reader.close()
        self._opened.clear()

    def look(self) -> Sequence[DaemonView]:
        """Return every daemon by name. Raises StoreError."""
        found = self._looks.at(list_daemons(self._url))
        return [view or self._late(name) for name, view in found.items()]

    def _late(self, name: str) -> DaemonView:
        line = complaint(
            "the database gave no answer about this daemon",
            where=Server(url=self._url, daemon=name),
            expected=f"one within {self._answer_s:g} s",
            do="load the page again; if it remains so, look what the server does (pg_stat_activity,"
            " pg_locks)",
        )
        return DaemonView(name=name, complaints=(line,))

    def context(self, name: str) -> DashboardContext:
        """Return what the pages of a daemon show. Raises UnknownDaemonError or StoreError."""
        known = list_daemons(self._url)
        if name not in known:
            raise UnknownDaemonError(
                complaint(
                    "there is no such daemon",
                    where=name,
                    expected=" or ".join(known) or None,
                    do="begin at the list of all",
                )
            )
        return self._open(name).context

    def _view(self, name: str) -> DaemonView:
        try:
            opened = self._open(name)
            signs = opened.reader.liveness()
            runs = opened.states.apart_from_daemon().current()
            names = (*(each.run for each in runs), opened.published.run.name)
            alerts = opened.reader.alerts(None, MAX_OPEN, open_only=True, runs=names, courses=False)
        except ScopewatchError as error:
            # Of one that cannot be read the others are no worse.
            return DaemonView(name=name, complaints=(str(error),))
        now = self._clock.now()
        new = [each for each in alerts if not answered(each, now)]
        return DaemonView(
            name=name,
            complaints=daemon_seen(signs, now).complaints,
            runs=runs,
            flagged=tuple(dict.fromkeys(each.well for each in new if each.well is not None)),
            wider=tuple(each for each in new if each.well is None),
            simulated=opened.published.run.simulated,
            address=opened.published.address,
        )

    def _open(self, name: str) -> _Opened:
        server = Server(url=self._url, daemon=name)
        with self._locks[name]:
            before = self._opened.get(name)
            reader = self._read(server) if before is None else before.reader
            try:
                sign = reader.liveness().get(PUBLISHED)
                if sign is None:
                    raise StoreError(
                        complaint(
                            "the daemon has published nothing for other dashboards",
                            where=server,
                            do="start it once with this version of scopewatch",
                        )
                    )
                if before is not None:
                    if before.detail == sign.detail:
                        return before
                    # It was started again, maybe as another version: its tables may be others now.
                    reader = self._read(server)
                opened = self._make(server, reader, sign.detail)
            except BaseException:
                if before is None or reader is not before.reader:
                    reader.close()
                raise
            if before is not None:
                before.reader.close()
            self._opened[name] = opened
            return opened

    @staticmethod
    def _read(server: Server) -> Reader:
        return Reader.open(server, statement_s=_STATEMENT_S)

    def _make(self, server: Server, reader: Reader, detail: str) -> _Opened:
        published = Published.read(detail, server)
        root = f"{ROOT}/{server.daemon}"

        def seen() -> DaemonSeen:
            try:
                return daemon_seen(reader.liveness(), self._clock.now())
            except StoreError as error:
                return DaemonSeen(ready=False, complaints=(str(error),))

        def health() -> Condition:
            how = seen()
            return Condition(ready=how.ready, complaints=how.complaints)

        states = RunStates(
            reader,
            published.run,
            clock=self._clock,
            target=published.standard.main_target,
            daemon=seen,
        )
        pictures = published.pictures
        context = DashboardContext(
            reader=reader,
            overlay_folder=pictures if self._pictures is None else self._pictures / server.daemon,
            alerts=Answers(server, self._clock),
            health=health,
            states=states,
            waiting=lambda: seen().waiting,
            pausing=lambda: seen().pausing,
            registry=None,
            facts=published.facts(),
            clock=self._clock,
            token=self.token,
            templates=make_templates(root),
            language=self._language,
            auth=self._auth,
            root=root,
            copies=self._copies_of(server.daemon, published),
        )
        return _Opened(
            reader=reader, detail=detail, published=published, states=states, context=context
        )

    def _copies_of(self, daemon: str, published: Published) -> PictureCopies | None:
        # What a daemon has published is shown and never asked: who writes to the database must not
        # choose what this machine reads with its credentials.
        if self._copies is not None:
            return DaemonPictures(self._copies, daemon)
        return None if published.copies is None else UnreadCopies(published.copies)
