"""`scopewatch plan`: where an acquisition images, how long it takes, and how much it writes."""

# Imports are within the commands: `scopewatch --help` must not load them.
# ruff: noqa: PLC0415

import json
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from scopewatch.cli.outputs import refuse_stdout


def plan(
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="[CONFIG|FILE]",
            help="A configuration, a .pos list or a useq-schema plan; none: config.yaml.",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="FILE", help="Read the plan for its source."),
    ] = None,
    source: Annotated[
        str | None, typer.Option("--source", metavar="NAME", help="Of several that acquire.")
    ] = None,
    picture: Annotated[
        Path | None,
        typer.Option("--picture", metavar="FILE", help="Draw the plate: a .png or .svg."),
    ] = None,
    interval_s: Annotated[
        float | None, typer.Option("--interval-s", help="Try another interval.")
    ] = None,
    time_points: Annotated[
        int | None, typer.Option("--time-points", help="Try another number of time points.")
    ] = None,
    stage_um_per_s: Annotated[
        float | None, typer.Option("--stage-um-per-s", help="Speed of the stage; 10000 unless set.")
    ] = None,
    settle_s: Annotated[
        float | None, typer.Option("--settle-s", help="Of each move; 0.2 unless set.")
    ] = None,
    image_s: Annotated[
        float | None,
        typer.Option("--image-s", help="Of an image beside its exposure; 0.15 unless set."),
    ] = None,
    focus_s: Annotated[
        float | None,
        typer.Option("--focus-s", help="Of each time the focus is found; 5 unless set."),
    ] = None,
    frame_px: Annotated[
        str | None, typer.Option("--frame-px", metavar="WxH", help="Of an image: 2048x2048.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="List every position.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show where an acquisition images, how long that takes, and how much it writes.

    Nothing is moved or written. The exit code is 1 for a plan that cannot be done in its interval
    or on its disk, and 2 for one that would not image what it says.

    Example: scopewatch plan positions.pos --interval-s 3600 --picture plate.png
    """
    from scopewatch.app.planning.shown import show_plan

    refuse_stdout(picture, "--picture", what="a picture", do="name a file: plate.png, say")
    wanted: dict[str, Any] = {
        "interval_s": interval_s,
        "time_points": time_points,
        "stage_um_per_s": stage_um_per_s,
        "settle_s": settle_s,
        "image_s": image_s,
        "focus_s": focus_s,
        "frame_px": _size(frame_px),
    }
    changes = {key: value for key, value in wanted.items() if value is not None}
    shown = show_plan(path, config, source, changes)
    if picture is not None:
        from scopewatch.app.planning.drawing import write_picture
        from scopewatch.app.planning.picture import picture_plan

        write_picture(picture_plan(shown), picture)
    if as_json:
        from scopewatch.app.planning.text import plan_as_json

        typer.echo(json.dumps(plan_as_json(shown), indent=2, ensure_ascii=False))
    else:
        from scopewatch.app.planning.text import describe_plan

        for line in describe_plan(shown, every=every):
            typer.echo(line)
    for refusal in shown.refusals:
        typer.echo(refusal, err=True)
    if shown.refusals:
        raise typer.Exit(1)


def _size(text: str | None) -> tuple[int, int] | None:
    """Read `2048x2048`."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,6})\s*[xX*,]\s*(\d{1,6})", text.strip())
    if match is None:
        raise typer.BadParameter("write width and height: 2048x2048", param_hint="--frame-px")
    return int(match[1]), int(match[2])
