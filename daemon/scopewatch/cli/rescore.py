"""`scopewatch rescore`: a new model over an archive of raw data, beside earlier versions."""

# Imports are within the command: `scopewatch --help` must not load them.
# ruff: noqa: PLC0415

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scopewatch.cli.options.groups import with_option_groups
from scopewatch.cli.options.reading import ReadingGroup
from scopewatch.cli.options.scoring import Model, ScoringGroup
from scopewatch.cli.outputs import refuse_stdout
from scopewatch.cli.progress import ProgressLines, count_first, frames_bar

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from scopewatch.app.rescoring.comparing import Agreement, Comparison
    from scopewatch.app.rescoring.rescoring import Rescoring

_SHOWN_WELLS = 20


@with_option_groups
def rescore(
    *,
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH|URL...", help="Raw data, as for scopewatch score.")
    ],
    model: Model,
    archive: Annotated[
        Path,
        typer.Option(
            "--archive", "-a", metavar="DIR", help="Keeps results, one folder for each version."
        ),
    ],
    against: Annotated[
        str | None,
        typer.Option(
            metavar="VERSION|FILE",
            help="Compare with a version of the archive, an export (.csv) or lines of score"
            " (.jsonl).",
        ),
    ] = None,
    jsonl: Annotated[
        Path | None,
        typer.Option("--jsonl", metavar="FILE", help="Write all lines here at the end."),
    ] = None,
    stains: Annotated[bool, typer.Option("--stains", help="Write virtual stains, too.")] = False,
    reading: ReadingGroup,
    scoring: ScoringGroup,
) -> None:
    """Score an archive with a model; may be stopped and called again.

    What the archive has of this model, this scopewatch and these options is not scored again. Each
    version has a folder of its own; neither raw data nor the state of a daemon is touched.

    Example: scopewatch rescore /mnt/raw --model models/new --archive /mnt/scores --dask local
    """
    from scopewatch.app.rescoring.rescoring import Rescoring

    refuse_stdout(archive, "--archive", what="an archive", do="name a folder")
    settings = scoring.settings(paths, reading.read(), bundle=model, run="rescore")
    here = [path.absolute() if isinstance(path, Path) else path for path in settings.paths]
    settings = replace(settings, paths=here)
    typer.echo(f"names are read as: {settings.source.pattern}", err=True)
    with Rescoring(settings, archive, stains=stains, monotonic=time.monotonic) as work:
        for other in work.read_otherwise:
            typer.echo(
                f"{other} has results of this model that were read by other options: all is scored"
                " again under the new ones; --pattern and the others keep them the same",
                err=True,
            )
        judged, total, scored = _complete(work)
        name = work.folder.name
        typer.echo(f"version {name}: {judged} of {total} frames judged, {scored} scored now")
        clashing = work.results.clashes()
        if clashing:
            typer.echo(
                f"{len(clashing)} frames have results of several files whose pixels differ, such as"
                f" {min(clashing)}: all are kept, none is compared; name the folder above them in"
                " one call, in a new archive, and each has a name of its own",
                err=True,
            )
        if jsonl is not None:
            _write_lines(work, jsonl)
        if against is not None:
            _compare(work, archive, against, clashing)
    if not total:
        typer.echo(f"no image found: {', '.join(paths)}", err=True)
        raise typer.Exit(1)


def _complete(work: "Rescoring") -> tuple[int, int, int]:
    """Score what is missing; return the numbers of frames judged, of all, and scored now."""
    judged = total = scored = 0
    with work.open() as oneshot, frames_bar() as bar:
        task, expected = count_first(bar, oneshot.count())
        lines = ProgressLines(expected) if bar.disable else None
        for progress in work.run(oneshot):
            total += 1
            judged += progress.judged
            scored += progress.scored
            bar.update(task, completed=total)
            if lines is not None:
                lines.advance(worked=progress.scored)
    return judged, total, scored


def _write_lines(work: "Rescoring", path: Path) -> None:
    from scopewatch.store.files.whole_files import whole_file

    with whole_file(path) as part, part.open("w", encoding="utf-8") as file:
        for line in work.results.lines():
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _compare(work: "Rescoring", archive: Path, against: str, clashing: "Collection[str]") -> None:
    from scopewatch.app.rescoring.comparing import compare, efficiencies, read_old
    from scopewatch.app.rescoring.version import find_version
    from scopewatch.store.archive.results import ArchiveResults
    from scopewatch.store.files.whole_files import write_whole

    if against.endswith((".csv", ".jsonl")):
        old, label = read_old(Path(against)), Path(against).stem
    else:
        folder = find_version(archive, against)
        results, label = ArchiveResults(folder, make=False), folder.name
        clashing = {*clashing, *results.clashes()}
        old = efficiencies(_without(clashing, results.lines()))
        results.close()
    comparison = compare(old, efficiencies(_without(clashing, work.results.lines())))
    report = work.folder / f"against-{label}.json"
    write_whole(report, (json.dumps(_as_json(comparison), indent=2) + "\n").encode())
    _show(comparison, label)
    typer.echo(f"each well: {report}")


def _without(
    clashing: "Collection[str]", lines: "Iterator[dict[str, Any]]"
) -> "Iterator[dict[str, Any]]":
    return (line for line in lines if line["key"] not in clashing)


def _as_json(comparison: "Comparison") -> dict[str, object]:
    from dataclasses import asdict

    overall = comparison.overall
    return {
        "overall": None if overall is None else asdict(overall),
        "only_old": comparison.only_old,
        "only_new": comparison.only_new,
        "experiments_compared": comparison.by_run,
        "wells": [
            {"experiment": run, "plate": plate, "well": well, **asdict(agreement)}
            for (run, plate, well), agreement in comparison.wells.items()
        ],
    }


def _show(comparison: "Comparison", label: str) -> None:
    if comparison.overall is None:
        typer.echo(f"no frame of {label} is among these: nothing to compare")
        return
    typer.echo(f"new minus {label}, in points of efficiency:")
    typer.echo(f"  all wells: {_words(comparison.overall)}")
    worst = sorted(comparison.wells.items(), key=lambda each: -each[1].mae)[:_SHOWN_WELLS]
    for (run, plate, well), agreement in worst:
        typer.echo(f"  {run}/{plate}/{well}: {_words(agreement)}")
    if len(comparison.wells) > len(worst):
        typer.echo(f"  ... {len(comparison.wells) - len(worst)} wells that differ less")
    if comparison.only_old or comparison.only_new:
        typer.echo(
            f"not compared: {comparison.only_old} frames that only {label} judged,"
            f" {comparison.only_new} that only this version judged"
        )
    if not comparison.by_run:
        typer.echo("experiments have other names there: wells were compared by plate and well")


def _words(agreement: "Agreement") -> str:
    r = "-" if agreement.r is None else f"{agreement.r:.3f}"
    return (
        f"bias {100 * agreement.bias:+.2f}, MAE {100 * agreement.mae:.2f}, r {r},"
        f" {agreement.frames} frames"
    )
