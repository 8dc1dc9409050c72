"""Judge a report of pip-audit: it passes although not one package could be looked up.

python release/audit.py REPORT.json REQUIREMENTS
"""

import json
import re
import sys
from pathlib import Path
from typing import Any


def judge(report: dict[str, Any], locked: set[str]) -> list[str]:
    """Return one line for each package with a known hole, or of which nothing is known."""
    audited = {entry["name"].lower(): entry for entry in report["dependencies"]}
    lines = [f"not audited: {name}: not in the report" for name in sorted(locked - set(audited))]
    for name, entry in sorted(audited.items()):
        if "skip_reason" in entry:
            lines.append(f"not audited: {name}: {entry['skip_reason']}")
        lines += [f"known hole: {name}: {hole['id']}" for hole in entry.get("vulns", ())]
    return lines or ([] if locked else ["not audited: nothing is locked"])


def main(report: str, requirements: str) -> int:
    """Print what is wrong; return the exit status."""
    text = Path(requirements).read_text(encoding="utf-8")
    locked = {name.lower() for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)}
    lines = judge(json.loads(Path(report).read_text(encoding="utf-8")), locked)
    sys.stdout.write("\n".join([*lines, f"{len(locked)} packages, {len(lines)} complaints"]) + "\n")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
