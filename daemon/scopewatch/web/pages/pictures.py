"""The virtual stains of frames, whole or small."""

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, Response

from scopewatch.core.errors import complaint
from scopewatch.web.dashboard_context import GivenContext
from scopewatch.web.overlay_images import find_overlay, shrink

routes = APIRouter()


@routes.get("/overlays/{relative:path}")
def overlay(
    context: GivenContext, relative: str, request: Request, small: bool = False
) -> Response:
    """Return the picture of a frame, or a small one of it."""
    known = context.reader.has_overlay(relative)
    picture = find_overlay(context.overlay_folder, relative) if known else None
    if picture is None:
        raise HTTPException(
            status_code=404,
            detail=complaint("no such overlay", where=relative, do="see the well's page"),
        )
    headers = {"etag": picture.etag, "cache-control": "private, no-cache"}
    if request.headers.get("if-none-match") == picture.etag:
        return Response(status_code=304, headers=headers)
    if small:
        try:
            content = shrink(picture)
        except OSError as error:
            line = complaint("overlay cannot be read", where=relative, do="see the original")
            raise HTTPException(status_code=404, detail=line) from error
        return Response(content, media_type="image/jpeg", headers=headers)
    return FileResponse(picture.path, media_type=picture.media_type, headers=headers)
