"""What must never show in a log, a status or a file that is sent away."""

import pytest

from scopewatch.core.redaction import hide, redact_settings, redact_text, secret_parts


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("ntfy://ntfy.sh/our-secret-topic", "ntfy://***"),
        ("mailto://user:hunter2@example.org?to=lab@example.org", "mailto://***"),
        ("tgram://123456:hunter2/987", "tgram://***"),
        ("slack://hunter2/b/c/#general", "slack://***"),
        ("https://hc-ping.com/5a1f-uuid", "https://***"),
    ],
)
def test_of_an_address_only_its_kind_is_shown(address: str, shown: str) -> None:
    assert redact_text(f"refused by {address} today") == f"refused by {shown} today"


@pytest.mark.parametrize(
    "text", ["token=hunter2", "Password: hunter2", 'api_key="hunter2"', '{"secret": "hunter2"}']
)
def test_an_assigned_secret_is_hidden_everywhere(text: str) -> None:
    assert "hunter2" not in redact_text(text)


def test_known_values_are_hidden_the_longest_first() -> None:
    assert redact_text("it is abcdef, or abc", ("", "abc", "abcdef")) == "it is ***, or ***"


def test_settings_lose_what_a_key_calls_secret_and_keep_the_rest() -> None:
    settings = {
        "experiment": {"name": "run 8", "phase_channel": "phase", "started_at": None},
        "alerts": {"channels": [{"name": "phone", "url": "ntfy://ntfy.sh/topic"}]},
        "web": {"port": 8787, "token": "hunter2", "key": {"deep": "hunter2"}, "api_key": None},
        "note": "see https://user:hunter2@example.org",
    }
    assert redact_settings(settings) == {
        "experiment": {"name": "run 8", "phase_channel": "phase", "started_at": None},
        "alerts": {"channels": [{"name": "phone", "url": "***"}]},
        "web": {"port": 8787, "token": "***", "key": "***", "api_key": None},
        "note": "see https://***",
    }


def test_plain_text_stays_as_it_is() -> None:
    line = "frame scored key=run 8/P1/A1 efficiency=0.61, file C:/data/a.tif; keyboard: 3"
    assert redact_text(line) == line


@pytest.mark.parametrize("password", ["a", "pg", "scopewatch"])
def test_a_short_password_of_a_database_spoils_no_other_word(password: str) -> None:
    known = secret_parts(f"postgresql+psycopg://lab:{password}@db.lab/scopes")
    assert hide("scopewatch: a page of the plate", known) == "scopewatch: a page of the plate"
    assert password not in hide(f"lab:{password}@db.lab", known).replace("lab", "")


def test_a_longer_password_of_a_database_is_hidden_wherever_it_is() -> None:
    known = secret_parts("postgresql+psycopg://lab:p%40ss@db.lab/scopes")
    assert hide("got p@ss, p%40ss at db.lab", known) == "got ***, *** at db.lab"
