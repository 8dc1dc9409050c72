"""scopewatch.service under a real systemd, in a virtual machine that this script makes.

    make try-service                                # or: python benchmarks/service/try_service.py
    python benchmarks/service/try_service.py --only watchdog,reload

Makes a Debian image (once, kept below build/vm), boots it in QEMU, installs scopewatch there by
the commands of docs/operating.md, and tries what the unit promises: start, reload, stop, kill,
watchdog, refused starts, drop-ins, mounts, a power cut. Frames are simulated. Prints what was seen,
and exits with 1 where a promise was broken, with 2 where there is no virtual machine to be had. It
needs root, a mirror of Debian, qemu-system-x86 and mmdebstrap; /dev/kvm makes it quick. What the
machine printed lies below build/vm/trial afterwards: console.log, out/journal-*.txt.
"""

import argparse
import json
import os
import sys

from luggage import ROOT, gather_wheels, pack
from machine import (
    LUGGAGE_MB,
    PROCESSORS,
    Machine,
    NoMachineError,
    look_for_tools,
    make_disk,
    remove,
    take_out,
)

FOLDER = ROOT / "build" / "vm"
# The last line of the scenario: without it a trial was left out.
END = "the trial is over"


def show(line: str, findings: list[dict[str, object]]) -> None:
    """Keep a line of the report and print it."""
    try:
        finding = json.loads(line)
    except json.JSONDecodeError:
        print(f"        {line}", flush=True)
        return
    findings.append(finding)
    word = "kept  " if finding["kept"] else "BROKEN"
    print(f"{word}  {finding['promise']}: {finding['seen']}", flush=True)


def verdict(findings: list[dict[str, object]]) -> tuple[str, int]:
    """Return the last line and the exit status."""
    broken = sum(not finding["kept"] for finding in findings)
    if not any(finding["promise"] == END for finding in findings):
        return f"{broken} broken promises, and the trial did not come to its end", 1
    return f"{len(findings)} looked at, {broken} broken promises", 1 if broken else 0


def main() -> int:
    """Make, boot, print, and report whether a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="trials by name, with commas; default: all")
    parser.add_argument(
        "--within-s", type=float, default=1500, help="of this machine's own time; then it is killed"
    )
    parser.add_argument(
        "--processor",
        choices=sorted(PROCESSORS),
        default="kvm" if os.access("/dev/kvm", os.W_OK) else "tcg",
        help="tcg: emulated, with a clock of its own; for a busy host, or one without /dev/kvm",
    )
    parser.add_argument("--name", default="trial", help="folder of what this run leaves")
    parser.add_argument("--fresh", action="store_true", help="make the image again")
    args = parser.parse_args()
    findings: list[dict[str, object]] = []
    work = FOLDER / args.name
    luggage = work / "luggage.ext4"
    try:
        look_for_tools()
        if args.fresh:
            remove(FOLDER)
        machine = Machine(FOLDER)
        print(f"image, wheels and frames: {FOLDER}", flush=True)
        gather_wheels(FOLDER / "wheels")
        ahead = pack(work / "luggage", FOLDER / "wheels", args.only)
        machine.make(work / "luggage" / "release", FOLDER / "wheels", ahead)
        make_disk(work / "luggage", luggage, "luggage", size_mb=LUGGAGE_MB)
    except NoMachineError as problem:
        print(f"no virtual machine: {problem}", file=sys.stderr)
        return 2
    try:
        took_s = machine.boot(
            luggage, args.processor, args.within_s, lambda line: show(line, findings)
        )
        print(f"machine on for {took_s:.0f} s, processor {args.processor}")
    except TimeoutError as problem:
        print(f"BROKEN  {problem}")
    remove(work / "out")
    take_out(luggage, "/out", work)
    line, status = verdict(findings)
    print(line)
    return status


if __name__ == "__main__":
    sys.exit(main())
