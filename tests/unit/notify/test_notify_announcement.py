from pathlib import Path

import pytest

from scopewatch.core.errors import DeliveryError
from scopewatch.core.phrases import Language
from scopewatch.messages.message import Message, Style
from scopewatch.notify import pictures
from scopewatch.notify.announcement import announce_test, write_test
from scopewatch.notify.written import write_message
from tests.conftest import FakeClock
from tests.unit.notify.fakes import FakeNotifier


def written_tests(clock: FakeClock, **style: object) -> list[Message]:
    written = Style(**style)  # type: ignore[arg-type]
    return write_test("run 7", clock.now(), style=written, overlay=None, digest=True)


def test_each_channel_gets_the_test_messages_and_reports_the_outcome(clock: FakeClock) -> None:
    def answer(channel: str, _message: Message) -> None:
        if channel == "chat":
            raise DeliveryError("receiver says no", permanent=False)

    notifier = FakeNotifier(answer=answer)
    messages = written_tests(clock)
    outcome = announce_test(notifier, ["mail", "chat"], messages)
    assert outcome == {"mail": None, "chat": "receiver says no"}
    assert [taken for _, taken in notifier.taken] == messages
    alert, digest = messages
    assert alert.title.startswith("TEST: B3")
    assert digest.title.startswith("TEST: run 7")
    for message in messages:
        assert "nothing has happened" in message.body.splitlines()[0]
        assert "nothing has happened" in message.html


def test_two_tests_are_not_taken_for_repeats_of_each_other(clock: FakeClock) -> None:
    first = written_tests(clock)
    clock.advance(1)
    second = written_tests(clock)
    assert len({message.idempotency_key for message in (*first, *second)}) == 4


def test_messages_are_written_as_they_would_be_sent(tmp_path: Path, clock: FakeClock) -> None:
    alert, _ = written_tests(clock, language=Language.JAPANESE)
    overlays = tmp_path / "overlays"
    (overlays / "run 7").mkdir(parents=True)
    (overlays / "run 7" / "B3.jpg").write_bytes(b"picture")
    (tmp_path / "secret.txt").write_text("secret")
    message = Message(
        idempotency_key="1",
        severity=alert.severity,
        title=alert.title,
        body=alert.body,
        html=alert.html,
        language=alert.language,
        attachments=("run 7/B3.jpg", "../secret.txt"),
        figures=alert.figures,
    )
    written = write_message(message, tmp_path / "out", "alert", overlay_folder=overlays)
    assert [path.name for path in written] == [
        "alert.txt",
        "alert.html",
        "alert-trend-run-7-P1-B3.png",
        "alert-run-7-B3.jpg",
    ]
    assert written[0].read_text(encoding="utf-8").startswith("【テスト】B3:分化不良の見込み")
    page = written[1].read_text(encoding="utf-8")
    assert '<html lang="ja">' in page
    assert 'src="alert-trend-run-7-P1-B3.png"' in page
    assert written[3].read_bytes() == b"picture"


def test_a_folder_that_cannot_be_written_to_is_reported(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DeliveryError, match="message cannot be written"):
        write_message(written_tests(clock)[0], tmp_path / "file", "alert", overlay_folder=tmp_path)


def test_a_figure_that_cannot_be_drawn_leaves_the_words(
    monkeypatch: pytest.MonkeyPatch, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_figure: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(pictures, "draw", fail)
    assert pictures.draw_charts(written_tests(clock)[0]) == []
    assert "figure cannot be drawn" in caplog.text
