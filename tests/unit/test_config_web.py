"""Who may reach the dashboard, by the configuration."""

from typing import Any

import pytest
from pydantic import ValidationError

from scopewatch.config import WebConfig

TOKEN = "file:/etc/scopewatch/token"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.53"])
def test_this_machine_alone_needs_no_token(host: str) -> None:
    assert WebConfig(host=host).on_loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "microscope-pc", "127.1"])
def test_any_other_address_is_refused_without_a_token(host: str) -> None:
    with pytest.raises(ValidationError, match="others could reach the dashboard") as caught:
        WebConfig(host=host)
    assert f"host {host}: " in str(caught.value)
    web = WebConfig.model_validate({"host": host, "token": TOKEN})
    assert not web.on_loopback
    assert WebConfig(host=host, enabled=False).token is None


def test_names_for_a_proxy_need_a_token_as_well() -> None:
    with pytest.raises(ValidationError, match=r"names: others could reach the dashboard"):
        WebConfig(names=("scope.lab",))


@pytest.mark.parametrize("token", ["", "short", "fifteen letters"])
def test_a_token_that_could_be_guessed_is_refused(token: str) -> None:
    with pytest.raises(ValidationError, match="fewer than 16 characters"):
        WebConfig.model_validate({"token": token})


@pytest.mark.parametrize("name", ["scope.lab:8787", "http://scope.lab", "", "*", "a b", "-x"])
def test_a_name_is_no_address(name: str) -> None:
    settings: dict[str, Any] = {"token": TOKEN, "names": [name]}
    with pytest.raises(ValidationError, match="names"):
        WebConfig.model_validate(settings)


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("0.0.0.0", "127.0.0.1"),
        ("::", "[::1]"),
        ("::1", "[::1]"),
        ("192.168.1.5", "192.168.1.5"),
        ("localhost", "localhost"),
    ],
)
def test_this_machine_reaches_it_at_an_address_that_can_be_opened(host: str, here: str) -> None:
    assert WebConfig.model_validate({"host": host, "token": TOKEN}).here == here
