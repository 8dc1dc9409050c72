"""Speaks the server's side of pycro-manager's bridge (pyjavaz 1.2.8, server version 5.1.0).

A stand-in for the ZMQ server of a running Micro-Manager, made from what the client sends and
reads: requests come over a REP socket as JSON, objects stay here and are named by a hash code,
their classes are described so that the client can build shadows of them. The Java program itself
was never run with it.
"""

import json
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, NamedTuple

import zmq

VERSION = "5.1.0"
_TRACE = "\norg.micromanager.remote.RemoteAcquisition.run(RemoteAcquisition.java:87)"

Reply = dict[str, Any]


class Signature(NamedTuple):
    """A Java method: what it is called, takes and returns."""

    name: str
    returns: str
    arguments: tuple[str, ...]


def java(name: str, returns: str, *arguments: str) -> Callable[[Any], Any]:
    """Mark what a Java method of that signature does."""

    def mark(function: Any) -> Any:
        function.java = Signature(name, returns, arguments)
        return function

    return mark


class Remote:
    """An object that stays on this side; its methods marked by `java` are called from the other.

    Attributes
    ----------
    NAME, IS
        Its Java class, and the interfaces and superclasses it may be passed as.
    TAKES
        The arguments of each constructor.
    FIELDS
        Public fields, with their values.
    """

    NAME: ClassVar[str]
    IS: ClassVar[tuple[str, ...]] = ()
    TAKES: ClassVar[tuple[tuple[str, ...], ...]] = ((),)
    FIELDS: ClassVar[dict[str, int]] = {}

    def signatures(self) -> Iterator[Signature]:
        for name in dir(type(self)):
            marked = getattr(getattr(type(self), name), "java", None)
            if marked is not None:
                yield marked

    def call(self, name: str, arguments: list[Any]) -> Any:
        for attribute in dir(type(self)):
            marked = getattr(getattr(type(self), attribute), "java", None)
            if marked is not None and marked.name == name:
                return getattr(self, attribute)(*arguments)
        raise LookupError(f"{self.NAME}.{name}: no such method")


class Strings(Remote):
    """mmcorej.StrVector."""

    NAME = "mmcorej.StrVector"

    def __init__(self, values: tuple[str, ...]) -> None:
        self.values = values

    @java("size", "int")
    def size(self) -> int:
        return len(self.values)

    @java("get", "java.lang.String", "int")
    def get(self, index: int) -> str:
        return self.values[index]


class Server:
    """A server on one port; those on further ports share the objects.

    Parameters
    ----------
    classes
        What the client may construct, by the name of the class.
    delay_s
        How long each answer takes.
    """

    def __init__(
        self,
        port: int,
        classes: dict[str, Callable[..., Remote]],
        takes: dict[str, tuple[tuple[str, ...], ...]],
        *,
        delay_s: float = 0.0,
        objects: dict[str, Remote] | None = None,
    ) -> None:
        self.port = port
        self._classes = classes
        self._takes = takes
        self._delay_s = delay_s
        self._objects: dict[str, Remote] = {} if objects is None else objects
        self._socket: Any = zmq.Context.instance().socket(zmq.REP)
        self._socket.bind(f"tcp://127.0.0.1:{port}")
        threading.Thread(target=self._serve, name=f"bridge {port}", daemon=True).start()

    def _serve(self) -> None:
        while True:
            request = json.loads(self._socket.recv_multipart()[0].decode("iso-8859-1"))
            time.sleep(self._delay_s)
            try:
                reply = self._answer(request)
            except Exception as error:  # noqa: BLE001 - as Java does, the client gets it
                reply = {"type": "exception", "value": f"java.lang.Exception: {error}{_TRACE}"}
            self._socket.send(json.dumps(reply).encode("iso-8859-1"))

    def _answer(self, request: Reply) -> Reply:
        match request["command"]:
            case "connect":
                return {"type": "none", "version": VERSION}
            case "get-constructors":
                path = request["classpath"]
                api = [{"name": path, "arguments": list(each)} for each in self._takes[path]]
                return {"type": "none", "api": api}
            case "constructor":
                made = self._classes[request["classpath"]](*self._given(request))
                return self._describe(made, new_port=bool(request.get("new-port")))
            case "run-method":
                target = self._objects[request["hash-code"]]
                return self._serialise(target.call(request["name"], self._given(request)))
            case "get-field":
                fields = self._objects[request["hash-code"]].FIELDS
                return {"type": "primitive", "value": fields[request["name"]]}
            case "destructor":
                self._objects.pop(request["hash-code"])
                return {"type": "none"}
        raise LookupError("Unknown Command")

    def _given(self, request: Reply) -> list[Any]:
        return [
            self._objects[each["hash-code"]] if isinstance(each, dict) else each
            for each in request["arguments"]
        ]

    def _serialise(self, value: Any) -> Reply:
        match value:
            case None:
                return {"type": "none"}
            case str():
                return {"type": "string", "value": value}
            case bool() | int() | float():
                return {"type": "primitive", "value": value}
            case dict():
                return {"type": "object", "class": "JSONObject", "value": json.dumps(value)}
            case Remote():
                return self._describe(value, new_port=False)
        raise TypeError(f"{type(value).__name__} is not serialised")

    def _describe(self, made: Remote, *, new_port: bool) -> Reply:
        code = uuid.uuid4().hex
        self._objects[code] = made
        port = self.port
        if new_port:
            port = free_port()
            Server(port, self._classes, self._takes, delay_s=self._delay_s, objects=self._objects)
        return {
            "type": "unserialized-object",
            "class": made.NAME,
            "hash-code": code,
            "port": port,
            "interfaces": [made.NAME, *made.IS],
            "fields": list(made.FIELDS),
            "api": [
                {"name": each.name, "return-type": each.returns, "arguments": list(each.arguments)}
                for each in made.signatures()
            ],
        }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
