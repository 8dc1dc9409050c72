"""Two instances of Syncthing on loopback, a sender and a receiver, without other peers.

Discovery, relays, port mapping, upgrades, usage and crash reports are off.
"""

import os
import signal
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

from transfer_servers import free_port

_OFF = {
    "globalAnnounceEnabled": "false",
    "localAnnounceEnabled": "false",
    "relaysEnabled": "false",
    "natEnabled": "false",
    "urAccepted": "-1",
    "crashReportingEnabled": "false",
    "autoUpgradeIntervalH": "0",
    "startBrowser": "false",
    "stunKeepaliveStartS": "0",
    "announceLANAddresses": "false",
    "limitBandwidthInLan": "true",
    "reconnectionIntervalS": "2",
}


class _Instance:
    """One instance: its home, its address, and its processes."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        if not (home / "config.xml").exists():
            _call("generate", f"--home={home}", "--no-default-folder", "--skip-port-probing")
        self.device = _call("serve", f"--home={home}", "--device-id").strip()

    def configure(self, folder: Path, kind: str, other: "_Instance", bytes_per_s: int) -> None:
        """Write the configuration again, for one folder that is shared with the other."""
        place = self.home / "config.xml"
        tree = ET.parse(place)
        root = tree.getroot()
        for name in ("folder", "device"):
            for old in root.findall(name):
                root.remove(old)
        shared = ET.SubElement(root, "folder", id="frames", path=str(folder), type=kind)
        shared.set("rescanIntervalS", "5")
        shared.set("fsWatcherEnabled", "false")
        for each in (self, other):
            ET.SubElement(shared, "device", id=each.device)
            device = ET.SubElement(root, "device", id=each.device, name=each.home.name)
            ET.SubElement(device, "address").text = f"tcp://127.0.0.1:{each.port}"
        options = root.find("options")
        if options is None:
            options = ET.SubElement(root, "options")
        settings = {
            **_OFF,
            "listenAddress": f"tcp://127.0.0.1:{self.port}",
            "maxSendKbps": str(bytes_per_s // 1024),
        }
        for name, value in settings.items():
            for old in options.findall(name):
                options.remove(old)
            ET.SubElement(options, name).text = value
        gui = root.find("gui")
        if gui is not None:
            gui.set("enabled", "false")
        tree.write(place)

    def start(self, log: Path) -> None:
        """Start it."""
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [
                    *("syncthing", "serve", f"--home={self.home}", "--no-browser", "--no-restart"),
                    *("--no-upgrade", "--skip-port-probing", "--no-default-folder"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "STNOUPGRADE": "1"},
            )

    def strike(self, number: signal.Signals) -> None:
        """Send a signal to its processes; wait where the signal kills."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, number)
            if number not in (signal.SIGSTOP, signal.SIGCONT):
                self._process.wait()


class Syncthing:
    """A transfer by Syncthing; signals go to the receiver.

    A new transfer with the same work folder continues with the state of both instances.
    """

    def __init__(self, source: Path, target: Path, work: Path, bytes_per_s: int) -> None:
        self._source, self._target = source, target
        self._sender, self._receiver = _Instance(work / "sender"), _Instance(work / "receiver")
        self._sender.configure(source, "sendonly", self._receiver, bytes_per_s)
        self._receiver.configure(target, "receiveonly", self._sender, bytes_per_s)
        for each in (self._sender, self._receiver):
            each.start(work / f"{each.home.name}.txt")

    def strike(self, number: signal.Signals) -> None:
        """Send a signal to the receiver; a kill ends the sender too."""
        self._receiver.strike(number)
        if number not in (signal.SIGSTOP, signal.SIGCONT):
            self._sender.strike(number)

    def over(self) -> bool | None:
        """Return whether all files are in their places and no temporary file is left."""
        if list(self._target.rglob(".syncthing.*")):
            return None
        for path in self._source.iterdir():
            if path.is_file() and not path.name.startswith("."):
                there = self._target / path.name
                if not there.exists() or there.read_bytes() != path.read_bytes():
                    return None
        return True

    def end(self) -> None:
        """End both."""
        for each in (self._sender, self._receiver):
            each.strike(signal.SIGKILL)


def _call(*arguments: str) -> str:
    done = subprocess.run(
        ["syncthing", *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    if done.returncode:
        message = f"syncthing {arguments[0]}: {' '.join(done.stderr.split())[-300:]}"
        raise RuntimeError(message)
    return done.stdout
