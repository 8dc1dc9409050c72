"""The pages of a review and what they send, all below a random token in the address."""

from pathlib import Path
from typing import Annotated, Final

import numpy as np
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.staticfiles import StaticFiles

from scopewatch.core.errors import ScopewatchError, complaint
from scopewatch.web.access.request_guard import RefusedFormError, RequestGuard, read_json
from scopewatch_training.dataset.corrections.record import (
    Decision,
    PairReview,
    TileLabel,
    count_corrections,
)
from scopewatch_training.dataset.doubts import verdict
from scopewatch_training.dataset.pairs.record import refused
from scopewatch_training.review.listing import list_pairs
from scopewatch_training.review.pictures import draw_fluorescence, draw_phase
from scopewatch_training.review.session import ReviewSession

_STATIC: Final = Path(__file__).parent / "static"


class _Change(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TileChange(_Change):
    """A label for a tile; None as its fluorescence has it."""

    row: Annotated[int, Field(ge=0)]
    col: Annotated[int, Field(ge=0)]
    label: TileLabel | None


class PairChange(_Change):
    """A decision about a pair; None takes it back."""

    decision: Decision | None


def make_app(session: ReviewSession, token: str) -> FastAPI:
    """Return the application; without the token every address is unknown."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(RequestGuard)
    app.add_exception_handler(ScopewatchError, _answer_error)
    app.add_exception_handler(ValidationError, _answer_bad_change)
    app.mount(f"/{token}/static", StaticFiles(directory=_STATIC), name="static")
    app.include_router(_pages(session), prefix=f"/{token}")
    app.include_router(_changes(session), prefix=f"/{token}")
    return app


def _pages(session: ReviewSession) -> APIRouter:
    routes = APIRouter(default_response_class=HTMLResponse)
    templates = Environment(
        loader=PackageLoader("scopewatch_training.review"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    dataset = session.dataset

    @routes.get("")
    def without_slash(request: Request) -> Response:
        return RedirectResponse(f"{request.url.path}/")

    @routes.get("/")
    def show_list() -> str:
        session.refresh()
        lines = list_pairs(dataset, session.corrections)
        tiles, dropped = count_corrections(session.corrections.pairs)
        return templates.get_template("list.html").render(
            dataset=dataset,
            lines=lines,
            refused=refused(dataset.pairs),
            verdict=verdict(dataset.doubts),
            run_doubts=[doubt for doubt in dataset.doubts if doubt.pair is None],
            accepted=sum(line.state == Decision.ACCEPTED for line in lines),
            tiles=tiles,
            dropped=dropped,
            author=session.author,
        )

    @routes.get("/pairs/{pair_id}")
    def show_pair(pair_id: str) -> str:
        session.refresh()
        pair = session.find(pair_id)
        lines = list_pairs(dataset, session.corrections)
        place = next(index for index, line in enumerate(lines) if line.pair.id == pair.id)
        return templates.get_template("pair.html").render(
            dataset=dataset,
            line=lines[place],
            place=place,
            count=len(lines),
            before=lines[place - 1].pair.id if place else None,
            after=lines[place + 1].pair.id if place + 1 < len(lines) else None,
            threshold=session.threshold(pair),
            author=session.author,
        )

    @routes.get("/pairs/{pair_id}/phase.png")
    def phase(pair_id: str) -> Response:
        return _png(draw_phase(dataset, session.find(pair_id)))

    @routes.get("/pairs/{pair_id}/fluorescence.png")
    def fluorescence(pair_id: str) -> Response:
        pair = session.find(pair_id)
        return _png(draw_fluorescence(dataset, pair, session.threshold(pair)))

    return routes


def _changes(session: ReviewSession) -> APIRouter:
    routes = APIRouter()

    @routes.get("/pairs/{pair_id}/tiles")
    def tiles(pair_id: str) -> Response:
        session.refresh()
        pair = session.find(pair_id)
        return _state(session, session.corrections.review_of(pair))

    @routes.post("/pairs/{pair_id}/tiles")
    async def correct(pair_id: str, request: Request) -> Response:
        change = TileChange.model_validate_json(await read_json(request))
        return await run_in_threadpool(
            lambda: _state(session, session.correct(pair_id, change.row, change.col, change.label))
        )

    @routes.post("/pairs/{pair_id}/decision")
    async def decide(pair_id: str, request: Request) -> Response:
        change = PairChange.model_validate_json(await read_json(request))
        return await run_in_threadpool(
            lambda: _state(session, session.decide(pair_id, change.decision))
        )

    @routes.post("/undo")
    async def undo(request: Request) -> Response:
        await read_json(request)
        undone = await run_in_threadpool(session.undo)
        return JSONResponse({"pair": undone, "undoable": session.undoable})

    return routes


def _state(session: ReviewSession, review: PairReview) -> Response:
    """Return everything that the page draws: labels by themselves, and what was decided."""
    tiles = session.tiles(session.find(review.id))
    share = tiles.share.astype(np.float64)
    percent = np.where(np.isfinite(share), 100 * share, -1)
    settings = session.dataset.labels
    return JSONResponse(
        {
            "tile_px": settings.tile_px,
            "cutoff_percent": 100 * settings.area_cutoff,
            "height": tiles.grid.height,
            "width": tiles.grid.width,
            "labels": tiles.labels.tolist(),
            "percent": np.round(percent, 1).tolist(),
            "corrected": [
                {"row": each.row, "col": each.col, "label": each.label, "author": each.author}
                for each in review.tiles
            ],
            "decision": None if review.decision is None else review.decision.decision,
            "undoable": session.undoable,
        }
    )


def _png(data: bytes) -> Response:
    return Response(data, media_type="image/png", headers={"cache-control": "private, max-age=600"})


async def _answer_error(request: Request, error: Exception) -> Response:
    if request.method == "GET" and not request.url.path.endswith("/tiles"):
        return PlainTextResponse(f"{error}\n", status_code=409)
    status = 403 if isinstance(error, RefusedFormError) else 409
    return JSONResponse({"error": str(error)}, status_code=status)


async def _answer_bad_change(request: Request, error: Exception) -> Response:
    assert isinstance(error, ValidationError)
    first = error.errors(include_url=False)[0]
    line = complaint(
        "change is not understood",
        where=request.url.path.rpartition("/")[2],
        got=f"{'.'.join(str(part) for part in first['loc'])} {first['msg']}".strip(),
        do="reload the page",
    )
    return JSONResponse({"error": line}, status_code=422)
