"""`scopewatch-train review`: looks at pairs and tiles in a local page, and corrects labels."""

# ruff: noqa: PLC0415  (imported within: at the top they would cost every call seconds)

import secrets
import webbrowser
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console

from scopewatch_training.cli.arguments import DatasetArg


def review(
    dataset: DatasetArg,
    author: Annotated[
        str | None, typer.Option(help="Name that goes with each decision; yours by default.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
) -> None:
    """Look at pairs and tiles in a page on this machine; corrects labels and drops pairs."""
    from scopewatch_training.cli.console import print_line
    from scopewatch_training.cli.next_steps import after_review
    from scopewatch_training.dataset.corrections.author import author_name
    from scopewatch_training.dataset.index import open_dataset
    from scopewatch_training.review.serve import HOST, serve
    from scopewatch_training.review.server import make_app
    from scopewatch_training.review.session import ReviewSession

    session = ReviewSession(
        open_dataset(dataset, corrected=False),
        author=author_name(author or "", where="--author", do="give --author NAME"),
        now=lambda: datetime.now(UTC),
    )
    console = Console()
    token = secrets.token_hex(16)

    def started(port: int) -> None:
        url = f"http://{HOST}:{port}/{token}/"
        print_line(console, f"review {dataset} at {url}")
        print_line(console, "every change is kept at once; end with Ctrl-C")
        if browser:
            webbrowser.open(url)

    serve(make_app(session, token), port, started)
    session.refresh()
    print_line(console, session.corrections.describe() or "no label was corrected")
    if following := after_review(open_dataset(dataset)):
        print_line(console, following)
