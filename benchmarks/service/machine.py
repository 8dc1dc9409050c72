"""A Debian virtual machine: a disk image without scopewatch, and QEMU that runs it.

On this machine only package scripts of the image run, in a plain chroot: systemd boots in the
virtual machine only. A booting systemd empties /tmp, so it must not boot in a namespace of a
machine that is in use.
"""

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

RELEASE = "bookworm"
PACKAGES = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "udev",
    "python3",
    "python3-venv",
    "linux-image-cloud-amd64",
    # The share of the trial: its server and the tools that mount it.
    "samba",
    "cifs-utils",
)
# Debian starts the server at every boot; the trial starts its own.
ASLEEP = ("smbd.service", "nmbd.service", "samba-ad-dc.service")
NEEDED = {
    "mmdebstrap": "mmdebstrap",
    "qemu-system-x86_64": "qemu-system-x86",
    "mke2fs": "e2fsprogs",
    "debugfs": "e2fsprogs",
}
# kvm: the host's processor. tcg: an emulated one with a clock of its own, which counts a nanosecond
# for each instruction and jumps over idle time: slow, but no time-out in it is met by a busy host.
# It leaves its translated code at each step of a repeated string instruction, so that it has no
# fast ones: what is copied is copied by plain instructions.
PROCESSORS = {
    # Some hosts that are virtual themselves refuse to set the capabilities of the architecture.
    "kvm": ("-accel", "kvm", "-cpu", "max,arch-capabilities=off", "-smp", "2"),
    "tcg": ("-accel", "tcg", "-cpu", "max,erms=off,fsrm=off", "-icount", "shift=0,sleep=off"),
}
# Findings leave by the second serial port, line by line, so that a hang loses none of them.
REPORT_UNIT = """\
[Unit]
Description=the trial of scopewatch.service
RequiresMountsFor=/luggage
After=multi-user.target

[Service]
Type=exec
ExecStart=/usr/bin/python3 -B /luggage/guest/scenario.py
ExecStopPost=/bin/systemctl --no-block poweroff
StandardOutput=file:/dev/ttyS1
StandardError=journal+console

[Install]
WantedBy=multi-user.target
"""
# The disks are memory to the machine (pmem): nothing ever waits for them. Where a processor waits
# for a disk, the emulated clock jumps, and a start seems to last minutes. They have labels, since
# their order is not fixed.
DISK_MODULES = ("nfit", "nd_pmem")
FSTAB = """\
LABEL=root / ext4 defaults 0 0
LABEL=luggage /luggage ext4 defaults 0 0
"""
DISK_MB, LUGGAGE_MB = 3072, 256


class NoMachineError(Exception):
    """The virtual machine cannot be created here; the message says what to do."""


def look_for_tools() -> None:
    """Raise NoMachineError where a tool or the right to use it is missing."""
    missing = sorted({package for tool, package in NEEDED.items() if shutil.which(tool) is None})
    if missing:
        raise NoMachineError(f"missing on this machine: apt-get install {' '.join(missing)}")
    if os.geteuid() != 0:
        raise NoMachineError("not root: the files of the image must belong to root; run it as root")


class Machine:
    """The image and its kernel, kept below `folder` for the next time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Another list of packages needs another image.
        kind = f"{RELEASE}-{hashlib.sha256(' '.join(PACKAGES).encode()).hexdigest()[:8]}"
        self._archive = folder / f"{kind}.tar"
        self._disk = folder / f"{kind}.ext4"
        self._kernel = folder / "vmlinuz"
        self._initrd = folder / "initrd.img"

    def make(self, release: Path, wheels: Path, steps: list[str]) -> None:
        """Make the image, unless one with these wheels exists; needs minutes and a Debian mirror.

        Parameters
        ----------
        release
            The folder in which `steps` are run, in a plain chroot without network.
        steps
            Shell commands that install scopewatch in the image.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        if not self._archive.exists():
            # An archive, so that nothing is mounted below the tree that is removed again.
            begun = self._archive.with_suffix(".begun.tar")
            _run(
                "mmdebstrap",
                "--variant=minbase",
                f"--include={','.join(PACKAGES)}",
                RELEASE,
                str(begun),
                env={**os.environ, "TMPDIR": str(self._folder)},
            )
            begun.rename(self._archive)
        newest_s = max(path.stat().st_mtime for path in wheels.iterdir())
        if self._disk.exists() and self._disk.stat().st_mtime > newest_s:
            return
        tree = self._folder / "root"
        remove(tree)
        tree.mkdir()
        _run("tar", "--extract", "--same-owner", "-f", str(self._archive), "-C", str(tree))
        _install(tree, release, wheels, steps)
        _lead_to_disks(tree)
        (tree / "etc/fstab").write_text(FSTAB, encoding="utf-8")
        (tree / "etc/hostname").write_text("trial\n", encoding="utf-8")
        (tree / "luggage").mkdir()
        units = tree / "etc/systemd/system"
        for name in ASLEEP:
            (units / name).unlink(missing_ok=True)
            (units / name).symlink_to("/dev/null")
        (units / "trial.service").write_text(REPORT_UNIT, encoding="utf-8")
        wants = units / "multi-user.target.wants"
        wants.mkdir(exist_ok=True)
        (wants / "trial.service").symlink_to("../trial.service")
        for name, kept in (("vmlinuz", self._kernel), ("initrd.img", self._initrd)):
            (found,) = (tree / "boot").glob(f"{name}-*")
            shutil.copyfile(found, kept)
        make_disk(tree, self._disk, "root", size_mb=DISK_MB)
        remove(tree)

    def boot(
        self, luggage: Path, processor: str, within_s: float, report_line: Callable[[str], None]
    ) -> float:
        """Boot with a disk as luggage, pass each line of the report on; return the seconds it took.

        Raises TimeoutError when the machine does not power off in time; it is killed then.

        Parameters
        ----------
        luggage
            Its report and console are written beside it.
        processor
            One of PROCESSORS.
        """
        report, console = luggage.with_name("report.jsonl"), luggage.with_name("console.log")
        report.write_bytes(b"")
        began_s = time.monotonic()
        machine = subprocess.Popen([*self._command(luggage, processor, report, console)])
        try:
            with report.open(encoding="utf-8", errors="replace") as lines:
                while machine.poll() is None:
                    _pass_on(lines, report_line)
                    if time.monotonic() - began_s > within_s:
                        message = f"the machine did not end within {within_s:g} s: see {console}"
                        raise TimeoutError(message)
                    time.sleep(0.2)
                _pass_on(lines, report_line)
        finally:
            if machine.poll() is None:
                machine.kill()
                machine.wait()
        return time.monotonic() - began_s

    def _command(self, luggage: Path, processor: str, report: Path, console: Path) -> Iterator[str]:
        yield from ("qemu-system-x86_64", *PROCESSORS[processor])
        yield from ("-nodefaults", "-display", "none", "-device", "virtio-rng-pci")
        yield from ("-machine", "pc,nvdimm=on", "-m", "3072M,slots=2,maxmem=16G")
        yield from ("-kernel", str(self._kernel), "-initrd", str(self._initrd))
        yield from ("-append", "root=LABEL=root rw console=ttyS0 panic=1 mitigations=off")
        # Only the guest loses its power: QEMU keeps what the guest has written.
        for name, disk, size_mb, kept in (
            ("root", self._disk, DISK_MB, "off"),
            ("luggage", luggage, LUGGAGE_MB, "on"),
        ):
            yield "-object"
            yield f"memory-backend-file,id={name},mem-path={disk},size={size_mb}M,share={kept}"
            yield from ("-device", f"nvdimm,memdev={name}")
        yield from ("-serial", f"file:{console}", "-serial", f"file:{report}")


def _install(tree: Path, release: Path, wheels: Path, steps: list[str]) -> None:
    """Run the steps within the tree, with a copy of the release in it meanwhile."""
    inside = tree / "release"
    shutil.copytree(release, inside)
    shutil.copytree(wheels, inside / "wheels")
    for step in steps:
        _run(
            "chroot",
            str(tree),
            "sh",
            "-c",
            f"cd /release && {step}",
            env={
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                "PIP_NO_INDEX": "1",
                "PIP_FIND_LINKS": "/release/wheels",
                "PIP_CONFIG_FILE": "/dev/null",
            },
        )
    shutil.rmtree(inside)


def _lead_to_disks(tree: Path) -> None:
    """Make the first RAM disk again, with what is needed to find the root and nothing else."""
    tools = tree / "etc/initramfs-tools"
    (tools / "modules").write_text("\n".join(DISK_MODULES) + "\n", encoding="utf-8")
    settings = tools / "initramfs.conf"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("MODULES=most", "MODULES=list"), encoding="utf-8")
    _run(
        *("chroot", str(tree), "update-initramfs", "-u", "-k", "all"),
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )


def remove(tree: Path) -> None:
    """Remove a folder, unless something is mounted in it.

    A mmdebstrap that is killed leaves /dev/shm and /sys of this machine mounted in its work folder;
    removing that folder would remove what others keep there.
    """
    real = tree.resolve()
    mounts = [
        Path(line.split()[4].encode().decode("unicode_escape"))
        for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    ]
    inside = sorted(str(mount) for mount in mounts if mount.is_relative_to(real))
    if inside:
        raise NoMachineError(
            f"mounted below {tree}, so it is not removed: umount {' '.join(inside[::-1])}"
        )
    if tree.exists():
        shutil.rmtree(tree)


def make_disk(tree: Path, disk: Path, label: str, size_mb: int) -> None:
    """Make an ext4 file system of a folder, owners included."""
    begun = disk.with_suffix(".begun")
    begun.unlink(missing_ok=True)
    _run("mke2fs", "-q", "-t", "ext4", "-L", label, "-d", str(tree), str(begun), f"{size_mb}M")
    begun.rename(disk)


def take_out(disk: Path, folder: str, to: Path) -> None:
    """Copy a folder out of an ext4 file system that is not mounted."""
    _run("debugfs", "-R", f"rdump {folder} {to}", str(disk))


def _run(*command: str, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoMachineError(
            f"{command[0]} failed with {done.returncode}: {done.stderr.strip()[-2000:]}"
        )


def _pass_on(lines: "Iterator[str]", report_line: Callable[[str], None]) -> None:
    for line in lines:
        if line.strip():
            report_line(line.rstrip())
