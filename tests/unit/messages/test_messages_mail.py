from hypothesis import given
from hypothesis import strategies as st

from scopewatch.core.alerts.rules import Severity
from scopewatch.messages.mail import Mail, as_html, as_text

NASTY = "<script>alert('x')</script> & \"quoted\""


def mail(value: str = "42%", **parts: str) -> Mail:
    return Mail(
        language="en",
        severity=Severity.WARNING,
        title=parts.get("title", "B3: weak"),
        lead=parts.get("lead", "B3 reads 42%."),
        facts=(("Now", value),),
        rows=(("A1", value),),
        rows_title="Look at these",
        items=("A1", value),
        items_title="Wells",
        advice="Look at it.",
        advice_title="What to do",
        link=parts.get("link", "http://127.0.0.1/wells/a"),
        link_title="Dashboard",
        note="Simulated.",
    )


def test_text_holds_every_part_in_order_and_no_mark_up() -> None:
    assert as_text(mail()) == (
        "B3 reads 42%.\n\nNow: 42%\n\nWells: A1, 42%\n\nLook at these\nA1: 42%\n\n"
        "What to do: Look at it.\n\nDashboard: http://127.0.0.1/wells/a\n\nSimulated."
    )


def test_html_escapes_every_value() -> None:
    page = as_html(mail(NASTY, title=NASTY, lead=NASTY, link='http://x/" onclick="run()'))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert '" onclick' not in page


@given(st.text())
def test_no_value_can_open_an_element(value: str) -> None:
    opened = as_html(mail("x")).count("<")
    assert as_html(mail(value, title=value, lead="x" + value)).count("<") == opened


def test_a_newline_in_a_name_starts_no_line_of_its_own() -> None:
    assert "Now: a Target: 99%" in as_text(mail("a\nTarget: 99%"))


def test_html_loads_nothing_from_anywhere() -> None:
    page = as_html(mail())
    assert "src=" not in page
    assert "url(" not in page


def test_a_long_list_is_cut_and_says_by_how_much() -> None:
    whole = Mail(
        language="en",
        severity=Severity.INFO,
        title="t",
        lead="l",
        items=tuple(f"W{number}" for number in range(100)),
        items_title="Wells",
    )
    assert as_text(whole).endswith("W95, +4")
