"""How much one folder holds, so that a list of names can be read."""

from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[3]

MOST_MODULES = 20


def test_no_folder_holds_more_modules_than_can_be_read_as_a_list() -> None:
    modules = Counter(
        str(path.parent.relative_to(ROOT))
        for part in ("daemon", "simulator", "training", "tests")
        for path in Path(ROOT / part).rglob("*.py")
        if path.name != "__init__.py"
    )
    assert len(modules) > 30
    assert {folder: n for folder, n in modules.items() if n > MOST_MODULES} == {}


def test_no_two_test_modules_share_a_name() -> None:
    # pytest imports them by their base name, and refuses the second one.
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert len(names) > 100
    assert [name for name, n in names.items() if n > 1] == []
