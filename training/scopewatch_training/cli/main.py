"""`scopewatch-train`: from paired runs to a bundle.

Heavy modules (TensorFlow, scikit-learn) are imported by the commands that need them, so that
`--help` and a wrong call answer at once.
"""

import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

import typer

from scopewatch.core.errors import ConfigError, ScopewatchError, complaint
from scopewatch.files import DISK_FULL
from scopewatch_training.cli.comparison_commands import compare
from scopewatch_training.cli.evaluation_commands import evaluate, report
from scopewatch_training.cli.fit_commands import cross_validate, fit, quantise, tune
from scopewatch_training.cli.forecast_commands import early_warning, forecast, recalibrate
from scopewatch_training.cli.manifest_command import EXAMPLE as MANIFEST_EXAMPLE
from scopewatch_training.cli.manifest_command import manifest
from scopewatch_training.cli.prepare_command import EXAMPLE, prepare
from scopewatch_training.cli.review_command import review
from scopewatch_training.cli.suggestion_commands import suggest

app = typer.Typer(
    name="scopewatch-train",
    help="Train a label-free differentiation model from pairs of phase and fluorescence frames.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Train a label-free differentiation model from pairs of phase and fluorescence frames."""


app.command(epilog=f"Example: {MANIFEST_EXAMPLE}")(manifest)
app.command(epilog=f"Example: {EXAMPLE}")(prepare)
app.command(epilog="Example: scopewatch-train review data/hes3 --author Mika")(review)
app.command(epilog="Example: scopewatch-train fit data/hes3 --out models/hes3 --hold-out run7")(fit)
app.command(
    "cross-validate",
    epilog="Example: scopewatch-train cross-validate data/hes3 --json cv.json --control auto",
)(cross_validate)
app.command(epilog="Example: scopewatch-train tune data/hes3 --out tuned --trials 40")(tune)
app.command(epilog="Example: scopewatch-train quantise models/hes3 data/hes3 --out models/hes3-b")(
    quantise
)
app.command(
    epilog="Example: scopewatch-train evaluate models/hes3 data/hes3 --run run7 --json run7.json"
)(evaluate)
app.command(epilog="Example: scopewatch-train report models/hes3 data/hes3 --run run7 --out r7")(
    report
)
app.command(
    epilog="Example: scopewatch-train compare models/hes3 models/hes3-b data/hes3-run8"
    " --page reports/hes3-b"
)(compare)
app.command(
    epilog="Example: scopewatch-train suggest models/hes3 runs/timelapse.csv --count 6"
    " --stained data/hes3"
)(suggest)
app.command(epilog="Example: scopewatch-train forecast models/hes3 data/hes3 runs/timelapse.csv")(
    forecast
)
app.command(
    "early-warning",
    epilog="Example: scopewatch-train early-warning models/hes3 runs/timelapse.csv"
    " --finals data/hes3 --json early-warning.json --plot early-warning.png",
)(early_warning)
app.command(
    epilog="Example: scopewatch-train recalibrate models/hes3 state/recalibration/run8.json"
    " --out models/hes3-run8"
)(recalibrate)


def _refuse_stdout(arguments: Sequence[str]) -> None:
    """Refuse `--out -`: every command writes a folder, a file of plots or a bundle."""
    given = [after for option, after in pairwise(arguments) if option == "--out"]
    if "-" in given or "--out=-" in arguments:
        raise ConfigError(
            complaint(
                "what is written cannot go to standard output",
                where="--out -",
                expected="a path",
                do="name a folder or file; one called - is ./-",
            )
        )


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line: exit 0 when done, 1 when the work failed, 2 for a wrong call."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        _refuse_stdout(arguments)
        app(arguments)
    except ScopewatchError as error:
        if "--debug" in arguments:
            raise
        sys.stderr.write(f"{error}\n")
        sys.exit(2 if isinstance(error, ConfigError) else 1)
    except OSError as error:
        if error.errno not in DISK_FULL or "--debug" in arguments:
            raise
        sys.stderr.write(f"{_describe_full(error, arguments)}\n")
        sys.exit(1)


def _describe_full(error: OSError, arguments: Sequence[str]) -> str:
    """Return the line for a disk that filled while a command wrote."""
    out = next((after for option, after in pairwise(arguments) if option == "--out"), "")
    return complaint(
        "disk is full",
        where=error.filename or out or arguments[0],
        got=error.strerror,
        do="make room, and call it again: prepare, fit, tune and cross-validate go on where they"
        " stopped",
    )
