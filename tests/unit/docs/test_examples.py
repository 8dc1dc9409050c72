"""The example configurations are valid, and read the names that their comments give."""

import re
from pathlib import Path

import pytest

from scopewatch.config import FolderSourceConfig, load_config
from scopewatch.sources.base.facts import PlaneFacts
from scopewatch.sources.layouts import naming
from scopewatch.sources.layouts.layout import Layout
from scopewatch.sources.layouts.naming import NamePattern
from scopewatch.sources.layouts.registry import LAYOUTS

EXAMPLES = Path(__file__).parents[3] / "examples"
CONFIGURATIONS = sorted(EXAMPLES.glob("*.yaml"))


def read(example: str, name: str) -> PlaneFacts:
    """Read a file name as the folder source of an example does."""
    (source,) = load_config(EXAMPLES / example).sources
    assert isinstance(source, FolderSourceConfig)
    facts = NamePattern(source.pattern, source.counts_from).read(name)
    assert facts is not None
    return facts


def test_every_example_is_listed_and_nothing_else() -> None:
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| \[([^\]]+)\]", page, re.MULTILINE))
    assert listed == {path.name for path in EXAMPLES.iterdir()} - {"README.md"}


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.stem)
def test_an_example_is_a_valid_configuration(path: Path) -> None:
    assert load_config(path).sources


def test_the_incucyte_example_reads_both_kinds_of_names() -> None:
    facts = read("incucyte-share.yaml", "VID1234_A1_1_02d12h00m.tif")
    assert (facts.well, facts.site, facts.elapsed_s) == ("A1", 1, 60 * 3600)
    facts = read("incucyte-share.yaml", "phase/VID1234_B3_2_2026y05m08d_08h46m.tif")
    assert (facts.well, facts.site, facts.channel) == ("B3", 2, "phase")
    assert facts.wall_time is not None


def test_the_harmony_example_reads_its_name() -> None:
    facts = read("phenix-share.yaml", "Images/r02c03f02p01-ch1sk5fk1fl1.tiff")
    assert (facts.well, facts.site, facts.z, facts.time_point) == ("B3", 2, 1, 4)


def test_the_custom_layout_reads_the_name_in_its_comment() -> None:
    facts = read("custom-layout.yaml", "plate7/R2C03_F4_T012_bf.tif")
    assert (facts.plate, facts.well, facts.site) == ("plate7", "B3", 4)
    assert (facts.time_point, facts.channel_code) == (11, "bf")


def test_the_layout_in_contributing_reads_its_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    page = (EXAMPLES.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Layout] = {}
    exec(code, names)  # the page's own lines
    layout = names["LAYOUT"]
    monkeypatch.setattr(naming, "LAYOUTS", {**LAYOUTS, layout.name: layout})
    pattern = NamePattern(layout.name)
    read_as, refused = layout.examples
    facts = pattern.read(read_as.path)
    assert facts is not None
    assert (facts.plate, facts.well, facts.site) == (read_as.plate, read_as.well, read_as.site)
    assert (facts.time_point, facts.channel_code) == (read_as.time_point, read_as.channel)
    assert refused.never is not None
    assert refused.never in str(pattern.never(refused.path))
