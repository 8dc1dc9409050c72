"""`kit` copies the example, the units and the documentation, which work in their new place."""

from pathlib import Path

import pytest

from scopewatch.app.kit import KIT, lay_down
from scopewatch.config import load_config
from scopewatch.core.errors import ConfigError
from scopewatch.inference.shipped import SHIPPED, bundled_model


def test_the_kit_is_laid_down_whole_and_its_configuration_works(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "kit"
    assert list(lay_down(folder)) == [folder / name for name in KIT]
    assert load_config(folder / "config.yaml").model.bundle == bundled_model(SHIPPED)
    assert (folder / "systemd/scopewatch.service").is_file()
    assert (folder / "docs/operating.md").is_file()


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("mine: true\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        list(lay_down(tmp_path))
    assert str(caught.value) == (
        f"files are there already: {tmp_path} (got config.yaml); name a folder without them"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]
