"""An audit that looked nothing up is no audit."""

from typing import Any

from release.audit import judge

FINE: dict[str, Any] = {"name": "Typer", "version": "1", "vulns": []}
SKIPPED: dict[str, Any] = {"name": "typer", "skip_reason": "not found on PyPI"}
HOLED: dict[str, Any] = {"name": "typer", "version": "1", "vulns": [{"id": "PYSEC-1"}]}


def test_packages_without_a_known_hole_pass() -> None:
    assert judge({"dependencies": [FINE]}, {"typer"}) == []


def test_a_package_that_could_not_be_audited_fails() -> None:
    findings = judge({"dependencies": [SKIPPED]}, {"typer"})
    assert findings == ["not audited: typer: not found on PyPI"]


def test_a_package_that_the_report_lacks_fails() -> None:
    findings = judge({"dependencies": []}, {"typer"})
    assert findings == ["not audited: typer: not in the report"]


def test_a_known_hole_fails() -> None:
    assert judge({"dependencies": [HOLED]}, {"typer"}) == ["known hole: typer: PYSEC-1"]


def test_an_empty_list_is_no_audit() -> None:
    assert judge({"dependencies": []}, set()) == ["not audited: nothing is locked"]
