"""Renders a page in the language of who looks at it."""

from typing import Any

from fastapi.responses import HTMLResponse

from scopewatch.core.phrases import mark
from scopewatch.web.dashboard_context import DashboardContext, Visit
from scopewatch.web.header import Header

SNOOZE_HOURS = (6, 24)
POSTING_WORDS = {
    "waiting": mark("waiting"),
    "delivered": mark("delivered"),
    "given up": mark("given up"),
}


def render_page(
    context: DashboardContext, visit: Visit, template: str, header: Header, **values: Any
) -> HTMLResponse:
    """Return a page in the language of who looks at it."""
    text = (
        context.templates[visit.language]
        .get_template(template)
        .render(
            header=header,
            now=header.now,
            here=visit.here,
            hours=SNOOZE_HOURS,
            posting_words=POSTING_WORDS,
            token=context.token,
            guarded=context.guarded,
            counted=context.registry is not None,
            **values,
        )
    )
    return HTMLResponse(text)
