"""pycro-manager's acquisition over the bridge, whose threads end where Micro-Manager does not.

pycro-manager 1.0.2 waits without end for notifications. After Micro-Manager is gone its socket
would connect to the next one by itself, which uses the same ports, and take the notifications of
the next acquisition away.
"""

import threading
from typing import Any

import zmq
from pycromanager.acquisition.acq_future import AcqNotification
from pycromanager.acquisition.java_backend_acquisitions import JavaBackendAcquisition
from pyjavaz import PullSocket, PushSocket
from pyjavaz.bridge import Bridge

from scopewatch.sources.micromanager.devices.bridge import give_up

_LOOK_MS = 200


class BridgedAcquisition(JavaBackendAcquisition):  # type: ignore[misc]  # untyped
    """An acquisition that can be let go of, whether Micro-Manager answers or not."""

    def __init__(self, **given: Any) -> None:
        self._lost = threading.Event()
        before = set(Bridge._cached_bridges_by_port)
        try:
            super().__init__(**given)
        except Exception:
            self.let_go()
            # The traceback keeps Java objects, whose destructors would wait without end.
            give_up(set(Bridge._cached_bridges_by_port) - before)
            raise

    @property
    def ports(self) -> tuple[int, ...]:
        """Ports of the bridges it uses."""
        own = getattr(self, "_acq", None)
        return (self._port,) if own is None else (self._port, own._creation_port)

    def let_go(self) -> None:
        """Give its bridges up and end its threads; what they say of it is not heard."""
        give_up(self.ports)
        self.abort = _ignore
        self._event_queue.put(None)
        self._lost.set()

    def _start_events(self, **_given: Any) -> None:
        self.event_port = self._acq.get_event_port()
        self._event_thread = threading.Thread(
            target=self._send_events, name="Event sending", daemon=True
        )
        self._event_thread.start()

    def _send_events(self) -> None:
        socket = PushSocket(self.event_port)
        try:
            while True:
                events = self._event_queue.get(block=True)
                if self._lost.is_set() or self._acq.is_finished():
                    break
                if events is None:
                    self._send(socket, [{"special": "acquisition-end"}])
                    while not self._acq.is_finished():
                        self._acq.block_until_events_finished(0.01)
                    break
                self._send(socket, events if isinstance(events, list) else [events])
        except Exception as error:  # noqa: BLE001 - pyjavaz raises bare Exception
            # Raised where the images are waited for; Micro-Manager may be gone.
            self._exception = error
        finally:
            socket.close()

    def _send(self, socket: Any, events: list[dict[str, Any]]) -> None:
        """Send events, unless nobody takes them any more."""
        while not self._lost.is_set():
            if socket._socket.poll(_LOOK_MS, zmq.POLLOUT):
                socket.send({"events": events})
                return

    def _start_receiving_notifications(self) -> threading.Thread:
        socket = PullSocket(self._remote_notification_handler.get_port())
        thread = threading.Thread(
            target=self._receive, args=(socket,), name="NotificationHandlerThread", daemon=True
        )
        thread.start()
        self._remote_notification_handler.start()
        return thread

    def _receive(self, socket: Any) -> None:
        """Pass notifications on until the last ones came, or would have come."""
        awaited = {True, False}  # the end of the events, and that of the storage
        while awaited:
            if self._lost.is_set():
                self._pass_on(AcqNotification.create_acq_events_finished_notification())
                self._pass_on(AcqNotification.create_data_sink_finished_notification())
                break
            if not socket._socket.poll(_LOOK_MS):
                continue
            note = AcqNotification.from_json(socket.receive())
            self._pass_on(note)
            if note.is_acquisition_finished_notification():
                awaited.discard(True)
            elif note.is_data_sink_finished_notification():
                awaited.discard(False)
        socket.close()

    def _pass_on(self, note: Any) -> None:
        if note.is_image_saved_notification():
            note.payload = self._dataset.add_index_entry(note.payload.encode("iso-8859-1"))
            self._image_notification_queue.put(note)
        self._notification_queue.put(note)
        if note.is_data_sink_finished_notification():
            self._image_notification_queue.put(note)


def _ignore(_error: Exception | None = None) -> None:
    pass
