"""Console output of commands: progress bars with an ETA, or plain lines in a log."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.core.imaging.model_card.held_out import ForecastDay, HeldOutErrors
from scopewatch_training.bundle.card_limits import held_out_words, interval_words, list_limits
from scopewatch_training.evaluation.in_words import describe_error, describe_forest

if TYPE_CHECKING:
    from scopewatch_training.dataset.prepared import Dataset
    from scopewatch_training.forecasting.recalibrate import Recalibrated

_LOG_STEPS = 100
_FILE_WIDTH = 140
_POINTS = ("bias", "mae")


def open_console() -> Console:
    """Return a console for standard output; wide enough for the tables where that is a file."""
    console = Console()
    return console if console.is_terminal else Console(width=_FILE_WIDTH)


class _BarListener:
    """Shows a training on one bar."""

    def __init__(self, progress: Progress, title: str, steps: int) -> None:
        self._progress = progress
        self._title = title
        self._steps = steps
        self._task = progress.add_task(title, total=steps, facts="")
        self._plain = not progress.console.is_terminal
        self._loss = 0.0
        self._held_out = ""

    def resumed(self, step: int) -> None:
        self._progress.update(self._task, completed=step)
        print_line(self._progress.console, f"{self._title}: going on from step {step}")

    def found_trained(self, step: int) -> None:
        self._progress.update(self._task, total=step, completed=step)
        print_line(self._progress.console, f"{self._title}: trained already, {step} steps")

    def stepped(self, step: int, tile_loss: float) -> None:
        # The mean over about the last fifty steps, since single batches vary much.
        self._loss = tile_loss if not self._loss else 0.98 * self._loss + 0.02 * tile_loss
        facts = f"loss {self._loss:.3f}{self._held_out}"
        self._progress.update(self._task, completed=step, facts=facts)
        if self._plain and step % _LOG_STEPS == 0:
            print_line(
                self._progress.console, f"{self._title}: step {step} of {self._steps}, {facts}"
            )

    def checked(self, step: int, loss: float, *, best: bool) -> None:
        self._held_out = f", held out {loss:.3f}{'' if best else ' (not better)'}"
        if self._plain:
            print_line(
                self._progress.console,
                f"{self._title}: step {step} of {self._steps}{self._held_out}",
            )


class ConsoleStages:
    """Shows the stages of a fit on a console; a `network.stages.Stages`."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def training(self, title: str, steps: int) -> Iterator[_BarListener]:
        """Begin to train a network of at most `steps` steps."""
        with training_bars(self._console) as progress:
            yield _BarListener(progress, title, steps)

    @contextmanager
    def counting(self, what: str) -> Iterator[Callable[[int, int], None]]:
        """Show a count of things done: yields a function of (done, in all)."""
        with counting(self._console, what) as progress:
            yield progress

    def report(self, text: str) -> None:
        """Print a line."""
        print_line(self._console, text)


@contextmanager
def training_bars(console: Console) -> Iterator[Progress]:
    """Open a progress display with count, time left and a column of facts."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[facts]}"),
        console=console,
        disable=not console.is_terminal,
    ) as progress:
        yield progress


@contextmanager
def counting(console: Console, what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a count of things done: yields a function of (done, in all)."""
    with training_bars(console) as progress:
        task = progress.add_task(what, total=None, facts="")
        yield lambda done, total: progress.update(task, completed=done, total=total)


def open_data(console: Console, folder: Path) -> "Dataset":
    """Open a data set, and say in one line how much of its labels people corrected."""
    from scopewatch_training.dataset.index import open_dataset  # noqa: PLC0415  (slow to import)

    dataset = open_dataset(folder)
    corrected = dataset.describe_corrections()
    if corrected:
        print_line(console, corrected)
    return dataset


def show_card(console: Console, card: ModelCard) -> None:
    """Print the figures of a fit, over what its inner folds held out, and what limits them."""
    print_line(console, f"{card.name} {card.model_id}: held out were {held_out_words(card.errors)}")
    table = Table()
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in card.metrics.items():
        table.add_row(name, f"{value or 0.0:.4g}")
    if card.errors is not None:
        table.add_row("raw efficiency of a field at 100 %", f"{card.errors.tpr:.1%}")
        table.add_row("raw efficiency of a field at 0 %", f"{card.errors.fpr:.1%}")
        table.add_row(f"{100 * card.errors.coverage:.0f} % interval", interval_words(card.errors))
    if card.quality.false_refusal_rate is not None:
        table.add_row("false refusals", f"{card.quality.false_refusal_rate:.1%}")
    table.add_row("threshold", f"{card.threshold:.3f}")
    console.print(table)
    for note in list_limits(card):
        print_line(console, note)


def print_line(console: Console, text: str) -> None:
    """Print one line however long: it is searched for, and names a file."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def show_rows(
    console: Console,
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    words: Collection[str] = (),
) -> None:
    """Print a table of text: the first column and those of words to the left, others right."""
    table = Table(title=title)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number and column not in words else "left")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def show_figures(console: Console, figures: dict[str, Any]) -> None:
    """Print the figures of `evaluate` and `cross-validate`, with the baselines beside."""
    names = ("roc_auc", "pr_auc", "f1", "precision", "recall", "mcc", "prevalence")
    table = Table(title="tiles; efficiency of images, bias and MAE in points")
    for column in ("", *names, "r", "bias", "mae", "raw bias", "raw mae"):
        table.add_column(column, justify="left" if not column else "right")
    flattered = figures.get("flattered_runs", ())
    rows = [("pooled, flattered" if flattered else "pooled", figures)]
    rows += [
        (f"{run}, flattered" if run in flattered else run, each)
        for run, each in figures["per_run"].items()
    ]
    rows += [(f"({name})", each) for name, each in figures["baselines"].items()]
    for title, each in rows:
        tile = [_cell(each["tile"][name], 3) for name in names]
        image = [_cell(each["image"]["r"], 3), *(_cell(each["image"][n], 2) for n in _POINTS)]
        raw = [_cell(each["image_raw"][name], 2) for name in _POINTS]
        table.add_row(title, *tile, *image, *raw)
    console.print(table)
    for line in (describe_error(figures), describe_forest(figures)):
        if line:
            print_line(console, line)
    for run, control in figures.get("negative_controls", {}).items():
        share = control["mean_positive_fraction"]
        print_line(console, f"negative control {run}: {share:.1%} of tiles called positive")
    if "leakage_gap" in figures:
        gap = figures["leakage_gap"]
        print_line(
            console,
            f"leakage gap (a split over random tiles would flatter by): AUC {gap['roc_auc']:+.4f},"
            f" F1 {gap['f1']:+.3f}",
        )


def show_forecast(console: Console, rows: Sequence[ForecastDay]) -> None:
    """Print the forecast table of a card."""
    table = Table(
        title="final efficiency = intercept + slope x efficiency of the day"
        " + trend slope x change per day"
    )
    columns = ("day", "intercept", "slope", "trend slope", "90 % interval", "better than the prior")
    for column in columns:
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(
            f"{row.day:g}",
            f"{row.intercept:.3f}",
            f"{row.slope:.3f}",
            f"{row.trend_slope:.3f}",
            f"+-{100 * row.half_width:.1f} points",
            "yes" if row.better_than_prior else "no",
        )
    console.print(table)


def show_recalibration(console: Console, done: "Recalibrated") -> None:
    """Print what a run changed on a card."""
    table = Table(title=f"{done.after.name} {done.after.model_id}, recalibrated on {done.run}")
    for column in ("", "before", "after"):
        table.add_column(column, justify="left" if not column else "right")
    table.add_row("threshold", f"{done.before.threshold:.4f}", f"{done.after.threshold:.4f}")
    for row in _error_rows(done.before.errors, done.after.errors):
        table.add_row(*row)
    table.add_row(
        f"bias on {done.run}",
        f"{100 * done.bias_before:+.1f} points",
        f"{100 * done.bias_after:+.1f} points",
    )
    console.print(table)
    print_line(console, f"the new card was fitted with {done.run}: its bias there flatters")
    show_forecast(console, done.after.forecast)


def _cell(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _error_rows(before: HeldOutErrors | None, after: HeldOutErrors | None) -> list[tuple[str, ...]]:
    """Return name, value before and value after of the errors on a card."""
    rows = []
    for name in ("tpr", "fpr", "half_width"):
        found = [None if each is None else getattr(each, name) for each in (before, after)]
        values = ["-" if each is None else f"{each:.4f}" for each in found]
        rows.append((name.replace("_", " "), *values))
    return rows
