"""Commands that take dataclasses of options."""

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from scopewatch.cli.options.groups import with_option_groups


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    width: Annotated[int, typer.Option(help="Width.")]
    depth: Annotated[int, typer.Option(help="Depth.")] = 2


@with_option_groups
def show(name: Annotated[str, typer.Argument()], size: Size, loud: bool = False) -> None:
    """Print a name and a size."""
    typer.echo(f"{name}: {size}{'!' if loud else ''}")


def call(*words: str, capsys: pytest.CaptureFixture[str]) -> str:
    app = typer.Typer(add_completion=False)
    app.command()(show)
    app(list(words), standalone_mode=False)
    return capsys.readouterr().out


def test_each_field_is_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    out = call("box", "--width", "3", "--depth", "4", "--loud", capsys=capsys)

    assert out == "box: Size(width=3, depth=4)!\n"


def test_a_field_keeps_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("box", "--width", "3", capsys=capsys) == "box: Size(width=3, depth=2)\n"


def test_a_field_without_a_default_is_required() -> None:
    app = typer.Typer(add_completion=False)
    app.command()(show)

    done = CliRunner().invoke(app, ["box"])

    assert done.exit_code == 2
    assert "--width" in done.output


def test_the_command_called_from_code_takes_fields_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show(name="box", width=3)

    assert capsys.readouterr().out == "box: Size(width=3, depth=2)\n"
