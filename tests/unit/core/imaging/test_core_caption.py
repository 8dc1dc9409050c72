"""The bar beneath an overlay says what is seen, legibly, in any width."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from scopewatch.core.imaging.caption import (
    AMBER,
    INK,
    MIN_FONT_PX,
    PAPER,
    Caption,
    Legend,
    draw_badge,
    draw_bar,
    font_px,
    load_font,
    wrap,
)
from tests.unit.core.samples import KEY, RAW, SURE

CAPTION = Caption(key=KEY, day=7.46, efficiency=SURE, simulated=False, marker="NKX2.5-GFP")
RED = (200, 0, 0)


def red(probability: NDArray[np.float32], _threshold: float) -> NDArray[np.uint8]:
    return np.tile(np.array(RED, dtype=np.uint8), (len(probability), 1))


def bar_of(caption: Caption, width_px: int, *, hatched: bool = False) -> NDArray[np.uint8]:
    return draw_bar(
        caption,
        width_px=width_px,
        legend=legend_of(caption),
        colour=red,
        hatched=hatched,
    )


def legend_of(caption: Caption, mark: float = 0.5) -> Legend:
    shows = f"probability of {caption.marker}"
    return Legend(shows=shows, mark=mark, mark_words="counts from")


def has(picture: NDArray[np.uint8], colour: tuple[int, int, int]) -> bool:
    return bool((picture == np.array(colour)).all(axis=-1).any())


def test_the_caption_names_field_time_and_efficiency_with_interval() -> None:
    lines = [line.replace("\N{NO-BREAK SPACE}", " ") for line in CAPTION.lines()]
    assert lines == [
        "run7 / P1 / B3 / site 2",
        "day 7.5, time point 15",
        "efficiency 42% (36% to 48%)",
    ]


def test_an_uncorrected_efficiency_says_raw() -> None:
    assert CAPTION.lines()[2] != replace(CAPTION, efficiency=RAW).lines()[2]
    assert replace(CAPTION, efficiency=RAW).lines()[2] == "efficiency 42% raw, not corrected"


def test_simulated_images_say_so_in_amber() -> None:
    simulated = replace(CAPTION, simulated=True)
    assert simulated.lines()[-1] == "SIMULATED: not a result"
    assert has(bar_of(simulated, 512), AMBER)
    assert not has(bar_of(CAPTION, 512), AMBER)


@pytest.mark.parametrize("width_px", [64, 128, 200, 384, 1000, 2048, 8192])
def test_the_bar_is_as_wide_as_asked_and_holds_text_and_colours(width_px: int) -> None:
    bar = bar_of(CAPTION, width_px)
    assert bar.shape[1:] == (width_px, 3)
    assert bar.dtype == np.uint8
    for colour in (PAPER, INK, RED):
        assert has(bar, colour)
    # Nothing touches the border: no text is cut off.
    for edge in (bar[0], bar[-1], bar[:, 0], bar[:, -1]):
        assert (edge == np.array(PAPER)).all()


def test_a_narrow_bar_stacks_text_and_legend() -> None:
    assert bar_of(CAPTION, 150).shape[0] > 1.5 * bar_of(CAPTION, 512).shape[0]


def test_hatched_tiles_are_explained_where_there_are_any() -> None:
    plain, explained = bar_of(CAPTION, 512), bar_of(CAPTION, 512, hatched=True)
    assert explained.shape[0] > plain.shape[0]


def test_text_grows_with_the_picture_and_is_never_illegible() -> None:
    sizes = [font_px(width) for width in (16, 64, 512, 2048, 8192)]
    assert sizes == sorted(sizes)
    assert sizes[0] == MIN_FONT_PX
    assert sizes[-1] > 100


@pytest.mark.parametrize("width_px", [40, 100, 300])
def test_wrapped_rows_fit_and_lose_nothing(width_px: int) -> None:
    font = load_font(14)
    text = "a-very-long-name-of-a-differentiation_run / P1 / B3 and more"
    rows = wrap(text, font, width_px)
    assert max(font.getlength(row) for row in rows) <= width_px
    assert "".join(rows).replace(" ", "") == text.replace(" ", "")


def test_a_line_breaks_at_spaces_where_it_can_but_not_at_no_break_spaces() -> None:
    font = load_font(14)
    width = int(font.getlength("alpha beta")) + 1
    assert wrap("alpha beta gamma", font, width) == ("alpha beta", "gamma")
    assert wrap("alpha site\N{NO-BREAK SPACE}2", font, width) == ("alpha", "site 2")


def test_letters_the_font_lacks_are_replaced() -> None:
    assert wrap("Zürich プレ A1", load_font(14), 1000) == ("Zurich ?? A1",)


def test_an_endless_name_is_cut() -> None:
    rows = wrap("x" * 5000, load_font(12), 10_000)
    assert rows == ("x" * 157 + "...",)


def test_no_width_is_too_small_to_end() -> None:
    assert wrap("abc", load_font(12), 1) == ("a", "b", "c")


def test_the_badge_is_an_amber_plate_with_text() -> None:
    badge = draw_badge("SIMULATED", 512)
    assert badge.shape[0] < 40
    assert has(badge, AMBER)
    assert has(badge, PAPER)
    assert draw_badge("SIMULATED", 4096).shape[0] > 2 * badge.shape[0]


def test_a_legend_that_was_drawn_before_is_that_of_its_marker_and_threshold() -> None:
    first, again = (bar_of(CAPTION, 600) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    other = bar_of(replace(CAPTION, marker="MYH6-mCherry"), 600)
    assert other.shape == first.shape
    assert not np.array_equal(other, first)
    legend = legend_of(CAPTION, mark=0.9)
    higher = draw_bar(CAPTION, width_px=600, legend=legend, colour=red, hatched=False)
    assert not np.array_equal(higher, first)
