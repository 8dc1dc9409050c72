"""The page of doubts: verdicts, figures and pictures of each doubtful pair, in one file."""

import re
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from scopewatch_training.dataset.doubt_page import page as doubt_page
from scopewatch_training.dataset.doubt_page.page import PAGE, write_doubts
from scopewatch_training.dataset.doubt_page.summaries import (
    fit_cuts,
    gravest_first,
    summarise_pairs,
    summarise_runs,
)
from scopewatch_training.dataset.manifest import read_manifest
from scopewatch_training.dataset.prepare import prepare
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.settings import BinariseSettings, PrepareSettings
from scopewatch_training.dataset.tile_counts import count_tiles
from tests.unit.training_data.pair_files import make_field, write_field, write_manifest

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Two runs; of b, one pair is swapped, one is a copy, one is clipped, one is refused."""
    folder = tmp_path_factory.mktemp("doubts")
    rows = []
    for run in ("a", "b <i>"):
        for site in range(4):
            # Site 0 of both is the same field.
            field = make_field(10 * site + len(run) * (site > 0), side=192, cells=50)
            if run != "a" and site == 2:
                field = replace(field, fluorescence=np.minimum(field.fluorescence, 700))
            rows.append(write_field(folder, run, site, field))
    one, other = rows[5], rows[7]
    one["phase"], one["fluorescence"] = one["fluorescence"], one["phase"]
    other["fluorescence"] = rows[1]["fluorescence"]
    manifest = read_manifest(write_manifest(folder / "pairs.csv", rows))
    return prepare(manifest, folder / "out", PrepareSettings(), now=NOW)


def test_each_pair_has_its_verdict_and_each_run_that_of_its_doubts(made: Dataset) -> None:
    cuts = fit_cuts(made)
    pairs = summarise_pairs(made, count_tiles(made, cuts))
    verdicts = [f"{each.verdict}" for each in pairs]
    assert verdicts == [
        "look at these", "good to train", "good to train", "good to train",
        "look at these", "do not train", "look at these", "refused",
    ]  # fmt: skip
    assert [each.pair.id for each in gravest_first(pairs)] == [
        pairs[place].pair.id for place in (5, 0, 4, 6, 7)
    ]
    assert pairs[4].copies == (str(pairs[0].pair),)
    assert 0.2 < pairs[1].prevalence < 1
    a, b = summarise_runs(made, pairs, cuts)
    assert (a.verdict, a.doubtful, a.copies, a.refused) == ("good to train", 1, 1, 0)
    assert (b.verdict, b.doubtful, b.copies, b.refused) == ("do not train", 3, 1, 1)
    assert a.offset_px == pytest.approx((0, 0), abs=0.3)
    assert b.clipped > 0.001
    assert a.uneven == b.uneven < 0.3


def test_the_page_shows_verdicts_in_words_and_three_pictures_of_each_doubtful_pair(
    made: Dataset,
) -> None:
    path = write_doubts(made, NOW)
    assert path == made.folder / PAGE
    html = path.read_text(encoding="utf-8")
    assert "Verdict: do not train" in html
    assert "8 pairs, 2 runs, 5 pairs to look at" in html
    assert "b &lt;i&gt;" in html
    assert "<i>" not in html
    for words in ("seem to be swapped", "is clipped", "cannot be registered", "same picture as"):
        assert words in html
    encoded = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', html)
    assert len(encoded) == 5
    sizes = [Image.open(BytesIO(b64decode(each))).size for each in encoded]
    assert sizes == [(3 * 192 + 2 * 6, 192)] * 4 + [(2 * 192 + 6, 192)]
    anchors = set(re.findall(r'id="(pair-[^"]+)"', html))
    assert anchors == set(re.findall(r'href="#(pair-[^"]+)"', html))
    assert not re.search(r'(src|href)="(?!data:|#)', html)


def test_more_pairs_than_have_pictures_are_counted(
    made: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doubt_page, "MOST_PICTURED", 2)
    html = write_doubts(made, NOW).read_text(encoding="utf-8")
    assert "The gravest 2 have pictures, runs in turn; 3 more are in the table below" in html
    assert html.count("data:image/jpeg") == 2


def test_without_a_threshold_or_a_readable_picture_the_page_still_shows_the_rest(
    made: Dataset,
) -> None:
    missing = replace(
        made,
        binarise=BinariseSettings(method="control", controls=("c/*",)),
        pairs=tuple(
            replace(pair, phase="gone.tif") if pair.refused else pair for pair in made.pairs
        ),
    )
    assert fit_cuts(missing) == {}
    html = write_doubts(missing, NOW).read_text(encoding="utf-8")
    assert "a picture cannot be read" in html
    assert html.count("data:image/jpeg") == 4


def test_a_page_of_as_many_pairs_as_have_pictures_stays_below_five_megabytes(
    made: Dataset,
) -> None:
    html = write_doubts(made, NOW).read_text(encoding="utf-8")
    longest = max(map(len, re.findall(r'base64,([^"]+)"', html)))
    assert longest * doubt_page.MOST_PICTURED < 5e6
