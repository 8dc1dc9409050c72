import logging
import threading
from pathlib import Path

import pytest
from apprise import Apprise
from pydantic import SecretStr

from scopewatch.core.errors import ConfigError, DeliveryError
from scopewatch.notify.apprise_channels import ANSWER_S, CONNECT_S, AppriseNotifier
from tests.unit.notify.fakes import message

# Nothing listens on port 9 (discard): every attempt fails at once.
DEAD = "127.0.0.1:9"


def notifier(path: Path, **channels: str) -> AppriseNotifier:
    return AppriseNotifier({name: SecretStr(url) for name, url in channels.items()}, path)


def test_every_url_that_is_not_understood_is_reported_by_its_channel(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        notifier(
            tmp_path,
            good="json://localhost",
            typo="mialto://user:s3cretpass@host",
            bare="just words",
            slack="slack://tooshort-s3cret",
        )
    lines = str(raised.value).splitlines()
    assert [line.split(" (")[0] for line in lines] == [
        f"alert channel has a URL that is not understood: alerts.channels: {name}"
        for name in ("typo", "bare", "slack")
    ]
    assert "got mialto://..." in lines[0]
    assert "got no schema" in lines[1]
    assert "s3cret" not in str(raised.value)


def test_a_failure_is_reported_with_its_reason_and_can_be_tried_again(tmp_path: Path) -> None:
    channels = notifier(tmp_path, hook=f"json://{DEAD}/token-s3cret")
    with pytest.raises(DeliveryError, match=r"alert was not taken: channel hook") as raised:
        channels.send("hook", message())
    assert not raised.value.permanent
    assert "A Connection error occurred sending JSON notification to 127.0.0.1" in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        f"json://user:s3cretpass@{DEAD}/hook/s3cretpath?+X-Token=s3crethead",
        f"mailto://user:s3cretpass@{DEAD}?from=a@example.org&to=b@example.org",
        f"ntfy://user:s3cretpass@{DEAD}/s3crettopic",
    ],
    ids=["webhook", "mail", "ntfy"],
)
def test_no_secret_of_a_url_is_ever_reported(
    tmp_path: Path, url: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    channels = notifier(tmp_path, one=url)
    with caplog.at_level(logging.DEBUG), pytest.raises(DeliveryError) as raised:
        channels.send("one", message())
    everything = str(raised.value) + caplog.text + "".join(capfd.readouterr())
    assert "s3cret" not in everything


def test_a_channel_that_is_gone_from_the_configuration_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(
        DeliveryError, match="alert channel is not configured any more: old"
    ) as raised:
        notifier(tmp_path).send("old", message())
    assert raised.value.permanent


@pytest.mark.parametrize(
    ("url", "waits"),
    [
        ("json://localhost", (CONNECT_S, ANSWER_S)),
        ("json://localhost?cto=1&rto=2", (1, 2)),
        ("mailto://localhost?from=a@example.org&to=b@example.org", (CONNECT_S, ANSWER_S)),
    ],
)
def test_a_receiver_has_a_bounded_time_that_its_url_may_change(
    tmp_path: Path, url: str, waits: tuple[float, float]
) -> None:
    ((_, service),) = notifier(tmp_path, one=url)._channels.values()
    assert service.request_timeout == waits


def test_a_plugin_that_fails_is_tried_again_and_its_text_is_not_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_named: object) -> None:
        raise RuntimeError("no route to s3cret")

    monkeypatch.setattr(Apprise, "notify", fail)
    with pytest.raises(DeliveryError, match=r"alert was not taken: .*RuntimeError") as raised:
        notifier(tmp_path, hook="json://localhost").send("hook", message())
    assert not raised.value.permanent
    assert "s3cret" not in str(raised.value)


def test_apprise_starts_no_threads_of_its_own(tmp_path: Path) -> None:
    """Python joins threads at exit, and so would wait for a receiver that hangs."""
    # Tests before this one may have left threads of other libraries.
    before = set(threading.enumerate())
    with pytest.raises(DeliveryError):
        notifier(tmp_path, hook=f"json://{DEAD}").send("hook", message())
    begun = [each for each in threading.enumerate() if each not in before and not each.daemon]
    assert begun == []
