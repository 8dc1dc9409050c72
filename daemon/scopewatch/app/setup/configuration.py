"""The text of the configuration that `scopewatch init` writes."""

import json
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from scopewatch.app.setup.understanding import Understanding
from scopewatch.core.errors import ConfigError, StoreError, complaint
from scopewatch.sources.folder.walk import network_file_system


def write_configuration(
    out: Path, folder: Path, understood: Understanding, *, name: str, bundle: Path, replace: bool
) -> None:
    """Write a commented configuration.

    Parameters
    ----------
    bundle
        The model.
    replace
        Whether a file that is there already may be written over.

    Raises
    ------
    ConfigError
        When there is a file already.
    StoreError
        When it cannot be written.
    """
    if out.exists() and not replace:
        raise ConfigError(
            complaint(
                "configuration is there already",
                where=out,
                do="name another with --out, or write over it with --force",
            )
        )
    text = render(folder, understood, name=name, bundle=bundle, out_name=out.name)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(
            complaint(
                "configuration cannot be written",
                where=out,
                got=error.strerror,
                do="name another place with --out",
            )
        ) from error


def render(
    folder: Path, understood: Understanding, *, name: str, bundle: Path, out_name: str
) -> str:
    """Return the configuration as text."""
    options, explanation = understood.options, understood.explanation
    found = [case.values.get("um_per_px", frozenset[str]()) for case in explanation.cases]
    scales = sorted(frozenset[str]().union(*found))
    if options.um_per_px is not None:
        scale_why = "Pixel size; replaces what the files say."
    elif scales:
        scale_why = f"The files say {', '.join(scales)} um/px."
    else:
        scale_why = "The files do not say their pixel size: set it."
    started = understood.started_at
    environment = Environment(
        loader=PackageLoader("scopewatch.app.setup"),
        autoescape=False,  # noqa: S701 - YAML: values go through `scalar`
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters["scalar"] = _scalar
    return environment.get_template("config.yaml.j2").render(
        out_name=out_name,
        name=name,
        path=str(folder.resolve()),
        started_at=None if started is None else started.isoformat(),
        interval_h=f"{options.interval_h or 12:g}",
        interval_why=f"Hours between time points: {understood.interval_h.why}.",
        final_day="10",
        sites=understood.sites,
        channels=", ".join(f"{name} ({count})" for name, count in explanation.channels.items()),
        phase_channel=options.channel or "phase",
        model_note="Trained on simulated frames unless you named your own: see docs/training.md.",
        bundle=str(bundle.resolve()),
        kind=understood.kind,
        pattern=options.pattern or "scopewatch",
        pattern_why=understood.pattern.why,
        observer="polling" if network_file_system(folder) else "native",
        scale_why=scale_why,
        um_per_px=options.um_per_px,
        clock_zone=options.clock_zone,
        plate_wells=options.plate_wells,
        position=options.position,
        counts_from={name: int(number) for name, number in (options.counts_from or {}).items()},
        channel_names=dict(options.channel_names or {}),
        wells=dict(options.wells or {}),
        z=options.z,
    )


def _scalar(value: object) -> str:
    """Write a value as a scalar of YAML: JSON is such, whatever characters it holds."""
    return json.dumps(value, ensure_ascii=False)
