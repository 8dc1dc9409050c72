"""The bridge to a running Micro-Manager: asks what answers there, and bounds every wait for it.

pyjavaz 1.2.8 waits without end for an answer: where Micro-Manager is gone or hangs, a call never
returns, and the next bridge to the same port is the same dead one. `within` gives such a bridge
up after some seconds: each call that waits for it raises, and the next one makes a new bridge.
"""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from scopewatch.core.errors import SourceError, complaint
from scopewatch.event_log import get_logger
from scopewatch.sources.micromanager.setup_files import not_installed

log = get_logger(__name__)

# A core that moves a stage or searches its focus answers when that is done.
ANSWER_S = 120.0
CONNECT_S = 2.0
_HANDSHAKE_S = 5.0
_INTERRUPTED_S = 5.0
_LOOK_S = 0.25
_START = "start Micro-Manager and tick Tools > Options > Run server on port"


def probe_bridge(port: int) -> str:
    """Connect to the bridge and return the version of its server.

    The connection is plain, since a `Bridge` of pyjavaz that nobody answers leaves a thread behind.

    Raises
    ------
    SourceError
        When pycro-manager is not installed, or no Micro-Manager answers.
    """
    try:
        import pycromanager  # noqa: F401, PLC0415 - an optional extra
        import zmq  # noqa: PLC0415 - comes with it
    except ImportError as error:
        raise not_installed(error) from error
    try:
        socket.create_connection(("127.0.0.1", port), timeout=CONNECT_S).close()
    except OSError as error:
        raise _no_answer(port, error.strerror or str(error)) from error
    context = zmq.Context()
    asking = context.socket(zmq.REQ)
    try:
        asking.setsockopt(zmq.LINGER, 0)
        asking.connect(f"tcp://127.0.0.1:{port}")
        asking.send(json.dumps({"command": "connect", "debug": False}).encode())
        if not asking.poll(int(_HANDSHAKE_S * 1000)):
            raise _no_answer(port, f"a connection, and no answer within {_HANDSHAKE_S:g} s")
        answer = json.loads(asking.recv_multipart()[0].decode("iso-8859-1"))
    except (zmq.ZMQError, ValueError) as error:
        raise _no_answer(port, str(error)) from error
    finally:
        asking.close()
        context.term()
    version = answer.get("version") if isinstance(answer, dict) else None
    if not isinstance(version, str):
        raise _no_answer(port, f"{str(answer)[:80]!r}")
    return version


@contextmanager
def within(
    limit_s: float, *ports: int, interrupted: Callable[[], bool] = lambda: False
) -> Iterator[None]:
    """Give the bridges to these ports up when the block takes longer than `limit_s`.

    Those that are first made in the block are given up too. Once `interrupted` is true the block
    has a few seconds only.

    Raises
    ------
    SourceError
        When it took too long; what the block raises otherwise.
    """
    from pyjavaz.bridge import Bridge  # noqa: PLC0415 - an optional extra

    before = set(Bridge._cached_bridges_by_port)
    done, expired = threading.Event(), threading.Event()

    def watch() -> None:
        began_s = time.monotonic()
        while not done.wait(_LOOK_S):
            took_s = time.monotonic() - began_s
            if took_s > (min(limit_s, _INTERRUPTED_S) if interrupted() else limit_s):
                expired.set()
                log.warning("bridge given up", port=ports[0])
                give_up({*ports, *(set(Bridge._cached_bridges_by_port) - before)})
                return

    threading.Thread(target=watch, name="bridge-limit", daemon=True).start()
    try:
        yield
    except Exception as error:
        if expired.is_set():
            raise _no_answer(ports[0], f"no answer within {limit_s:g} s") from error
        raise
    finally:
        done.set()


def give_up(ports: Iterable[int]) -> None:
    """Let each call that waits for an answer from these ports raise, within about a second."""
    from pyjavaz.bridge import Bridge  # noqa: PLC0415 - an optional extra

    for port in ports:
        found = Bridge._cached_bridges_by_port.pop(port, None)
        bridge = None if found is None else found()
        if bridge is None:
            continue
        # Destructors that wait, then those that would.
        Bridge._ports_with_terminated_servers.add(port)
        for shadow in list(bridge._java_objects):
            shadow._closed = True
        bridge._closed = True
        bridge._shutdown_event.set()
        thread = bridge._socket_thread_wr()
        if thread is not None:
            thread.given_up = True


def expect_answers(port: int) -> None:
    """Let destructors wait for this port again, and threads of bridges end once given up.

    To be called before a new bridge is made to it.
    """
    from pyjavaz import bridge  # noqa: PLC0415 - an optional extra

    bridge.Bridge._ports_with_terminated_servers.discard(port)
    if bridge._DataSocket.__module__ != bridge.__name__:
        return

    class EndingSocket(bridge._DataSocket):  # type: ignore[misc]  # untyped
        """A socket whose wait for an answer ends with the bridge."""

        def receive(self, timeout: float | None = None, **options: Any) -> Any:
            while not timeout and not self._socket.poll(int(_LOOK_S * 1000)):
                if getattr(threading.current_thread(), "given_up", False):
                    self._socket.close(linger=0)
                    raise TimeoutError("bridge given up")
            return super().receive(timeout, **options)

        def __del__(self) -> None:
            # pyjavaz leaves it to the garbage collector.
            if self._socket is not None:
                self._socket.close(linger=0)

    bridge._DataSocket = EndingSocket


class BoundedCore:
    """The core of a running Micro-Manager, of which no call waits longer than `ANSWER_S`.

    It holds no Java object: pyjavaz waits without end for the answer when one is let go of.
    """

    def __init__(self, port: int, interrupted: Callable[[], bool] = lambda: False) -> None:
        self._port = port
        self._interrupted = interrupted

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return the method of the core with that name, in snake case."""

        def call(*arguments: Any) -> Any:
            with within(ANSWER_S, self._port, interrupted=self._interrupted):
                return self._call(name, arguments)

        return call

    def _call(self, name: str, arguments: tuple[Any, ...]) -> Any:
        from mmpycorex.core import ZMQRemoteMMCoreJ  # noqa: PLC0415 - an optional extra

        try:
            core = ZMQRemoteMMCoreJ(port=self._port)
        except Exception as error:  # mmpycorex raises bare Exception
            raise _no_answer(self._port, str(error)) from error
        answer = getattr(core, name)(*arguments)
        if not hasattr(answer, "size"):
            return answer
        return [answer.get(index) for index in range(answer.size())]


def _no_answer(port: int, got: str) -> SourceError:
    return SourceError(
        complaint("no Micro-Manager answers", where=f"127.0.0.1:{port}", got=got, do=_START)
    )
