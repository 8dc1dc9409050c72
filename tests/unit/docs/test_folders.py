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
