"""A stand-in for a running Micro-Manager whose server is on, as a program of its own.

    python -m tests.hardware.java_stand_in PORT ADAPTERS CONFIGURATION DELAY_S

The core is Micro-Manager's own, with demo devices. The acquisition engine is pycro-manager's in
Python, which its authors ported from the Java one, and ndstorage writes the data sets: what is
stood in for is Java, its Studio and the way it chooses ports. "ready" is printed once the bridge
answers.
"""

import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import zmq
from mmpycorex import Core
from ndstorage.ndtiff_dataset import NDTiffDataset
from pycromanager import start_headless
from pycromanager.acquisition.acq_eng_py.main.acq_notification import AcqNotification
from pycromanager.acquisition.acq_eng_py.main.AcqEngPy_Acquisition import Acquisition
from pycromanager.acquisition.acq_eng_py.main.acquisition_event import AcquisitionEvent
from pyjavaz import PullSocket, PushSocket

from tests.hardware.java_wire import Remote, Server, Signature, Strings, free_port, java

STRING = "java.lang.String"
_REMOTE = "org.micromanager.remote"
_ACQUISITION_API = "org.micromanager.acqj.api.AcquisitionAPI"


class JavaCore(Remote):
    """mmcorej.CMMCore: passes its calls to a core of this process."""

    NAME = "mmcorej.CMMCore"
    METHODS = (
        Signature("getVersionInfo", STRING, ()),
        Signature("getLoadedDevices", Strings.NAME, ()),
        Signature("getCameraDevice", STRING, ()),
        Signature("getXYStageDevice", STRING, ()),
        Signature("getFocusDevice", STRING, ()),
        Signature("getAutoFocusDevice", STRING, ()),
        Signature("setAutoFocusDevice", "void", (STRING,)),
        Signature("getAvailableConfigGroups", Strings.NAME, ()),
        Signature("getAvailableConfigs", Strings.NAME, (STRING,)),
        Signature("getPosition", "double", (STRING,)),
        Signature("setPosition", "void", (STRING, "double")),
        Signature("waitForDevice", "void", (STRING,)),
        Signature("setXYPosition", "void", (STRING, "double", "double")),
        Signature("isContinuousFocusEnabled", "boolean", ()),
        Signature("enableContinuousFocus", "void", ("boolean",)),
        Signature("isContinuousFocusLocked", "boolean", ()),
        Signature("fullFocus", "void", ()),
    )

    def signatures(self) -> Iterator[Signature]:
        yield from self.METHODS

    def call(self, name: str, arguments: list[Any]) -> Any:
        # As pyjavaz turns names into snake case, so does mmpycorex.
        snake = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=XY)(?=[A-Z])", "_", name).lower()
        found = getattr(Core(), snake)(*arguments)
        return Strings(tuple(found)) if isinstance(found, list | tuple) else found


class Storage(Remote):
    """The data set that an acquisition writes."""

    NAME = "org.micromanager.ndtiffstorage.NDTiffStorage"

    def __init__(self, data_set: NDTiffDataset) -> None:
        self.data_set = data_set

    @java("getDiskLocation", STRING)
    def where(self) -> str:
        return str(self.data_set.path)

    @java("getSummaryMetadata", "mmcorej.org.json.JSONObject")
    def summary(self) -> dict[str, Any]:
        return dict(self.data_set._summary_metadata)


class Sink(Remote):
    """Takes the images of an acquisition."""

    NAME = f"{_REMOTE}.RemoteViewerStorageAdapter"

    def __init__(self, data_set: NDTiffDataset) -> None:
        self.data_set = data_set

    @java("getStorage", "org.micromanager.ndtiffstorage.NDTiffAPI")
    def storage(self) -> Storage:
        return Storage(self.data_set)

    @java("isFinished", "boolean")
    def finished(self) -> bool:
        return bool(self.data_set.is_finished())


class RemoteAcquisition(Remote):
    """An acquisition whose events come over a socket."""

    NAME = f"{_REMOTE}.RemoteAcquisition"
    IS = ("org.micromanager.acqj.main.Acquisition", _ACQUISITION_API)

    def __init__(self, folder: str, name: str) -> None:
        self.data_set = NDTiffDataset(folder, name=name, writable=True)
        self.engine = Acquisition(self.data_set)
        self.engine.start()
        self.over = False
        self._port = free_port()
        threading.Thread(target=self._take_events, daemon=True).start()

    @java("getEventPort", "int")
    def event_port(self) -> int:
        return self._port

    @java("getDataSink", "org.micromanager.acqj.api.AcqEngJDataSink")
    def sink(self) -> Sink:
        return Sink(self.data_set)

    @java("areEventsFinished", "boolean")
    def events_finished(self) -> bool:
        return bool(self.engine.are_events_finished())

    @java("isFinished", "boolean")
    def finished(self) -> bool:
        return self.over and bool(self.data_set.is_finished())

    @java("blockUntilEventsFinished", "void", "double")
    def block(self, wait_s: float) -> None:
        self.engine.block_until_events_finished(wait_s)

    @java("waitForCompletion", "void")
    def wait(self) -> None:
        self.data_set.block_until_finished()

    @java("checkForExceptions", "void")
    def check(self) -> None:
        self.engine.check_for_exceptions()

    @java("abort", "void")
    def abort(self) -> None:
        self.over = True
        self.engine.abort()

    def _take_events(self) -> None:
        socket = PullSocket(self._port)
        while not self.over:
            events = [
                AcquisitionEvent.from_json(each, self.engine) for each in socket.receive()["events"]
            ]
            if events[-1].is_acquisition_finished_event():
                self.over = True
                self.engine.finish()
            else:
                self.engine.submit_event_iterator(iter(events))
        socket.close()


class Factory(Remote):
    """Makes acquisitions."""

    NAME = f"{_REMOTE}.RemoteAcquisitionFactory"
    TAKES = (("mmcorej.CMMCore",),)

    def __init__(self, core: Remote) -> None:
        self.core = core

    @java("createAcquisition", RemoteAcquisition.NAME, STRING, STRING, "boolean", "int", "boolean")
    def create(
        self, folder: str, name: str, viewer: bool, queue_size: int, debug: bool
    ) -> RemoteAcquisition:
        assert (viewer, debug) == (False, False), "there is neither a screen nor a log"
        assert queue_size > 0
        return RemoteAcquisition(folder, name)


class Notifications(Remote):
    """Sends on what the engine notes, images with their entries of the index."""

    NAME = f"{_REMOTE}.RemoteNotificationHandler"
    TAKES = ((_ACQUISITION_API,),)

    def __init__(self, acquisition: RemoteAcquisition) -> None:
        self._data_set = acquisition.data_set
        self._port = free_port()
        self._push = PushSocket(self._port)
        self._push._socket.setsockopt(zmq.LINGER, 0)
        self._lock = threading.Lock()
        self._waiting: list[AcqNotification] = []
        self._started = False
        acquisition.engine.add_acq_notification_listener(self)

    @java("getPort", "int")
    def port(self) -> int:
        return self._port

    @java("start", "void")
    def start(self) -> None:
        with self._lock:
            self._started = True
            for each in self._waiting:
                self._send(each)

    @java("notificationHandlingComplete", "void")
    def complete(self) -> None:
        self._push.close()

    def post_notification(self, note: AcqNotification) -> None:
        with self._lock:
            if self._started:
                self._send(note)
            else:
                self._waiting.append(note)

    def _send(self, note: AcqNotification) -> None:
        message = {"type": note.type.to_string(), "milestone": note.milestone}
        if note.is_image_saved_notification():
            entry = self._data_set.index[frozenset(note.payload.items())]
            message["payload"] = entry.as_byte_buffer().getvalue().decode("iso-8859-1")
        self._push.send(message)


def main(port: int, adapters: str, configuration: Path, delay_s: float) -> None:
    start_headless(adapters, str(configuration), python_backend=True, buffer_size_mb=64)
    core = JavaCore()
    classes: dict[str, Callable[..., Remote]] = {
        JavaCore.NAME: lambda: core,
        Factory.NAME: Factory,
        Notifications.NAME: Notifications,
    }
    takes = {each.NAME: each.TAKES for each in (JavaCore, Factory, Notifications)}
    Server(port, classes, takes, delay_s=delay_s)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), float(sys.argv[4]))
