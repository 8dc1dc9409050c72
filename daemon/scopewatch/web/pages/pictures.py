"""The virtual stains of frames, whole or small."""

from hashlib import sha256
from io import BytesIO
from pathlib import PurePosixPath

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, Response

from scopewatch.core.errors import StoreError, complaint
from scopewatch.web.dashboard_context import GivenContext
from scopewatch.web.overlay_images import (
    MEDIA_TYPES,
    PictureCopies,
    find_overlay,
    may_be_read,
    shrink,
    shrink_file,
)

routes = APIRouter()


@routes.get("/overlays/{relative:path}")
def overlay(
    context: GivenContext, relative: str, request: Request, small: bool = False
) -> Response:
    """Return the picture of a frame, or a small one of it."""
    known = context.reader.has_overlay(relative)
    picture = find_overlay(context.overlay_folder, relative) if known else None
    if picture is None:
        if known and context.copies is not None and may_be_read(relative):
            return _copied(context.copies, relative, request, small=small)
        raise _no_such(relative)
    headers = {"etag": picture.etag, "cache-control": "private, no-cache"}
    if request.headers.get("if-none-match") == picture.etag:
        return Response(status_code=304, headers=headers)
    if small:
        try:
            content = shrink(picture)
        except OSError as error:
            raise _unreadable(relative) from error
        return Response(content, media_type="image/jpeg", headers=headers)
    return FileResponse(picture.path, media_type=picture.media_type, headers=headers)


def _copied(copies: PictureCopies, relative: str, request: Request, *, small: bool) -> Response:
    """Return a picture from its copy; 503 with the reason where it cannot be had at the moment."""
    try:
        content = copies.read(relative)
    except StoreError as error:
        raise HTTPException(status_code=503, detail=str(error)) from error
    if content is None:
        raise _no_such(relative)
    etag = f'"{sha256(content).hexdigest()[:24]}"'
    # A copy costs a question over the network each time: browsers keep it for some minutes.
    headers = {"etag": etag, "cache-control": "private, max-age=300"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    media_type = MEDIA_TYPES[PurePosixPath(relative).suffix.lower()]
    if small:
        try:
            content, media_type = shrink_file(BytesIO(content)), "image/jpeg"
        except OSError as error:
            raise _unreadable(relative) from error
    return Response(content, media_type=media_type, headers=headers)


def _no_such(relative: str) -> HTTPException:
    line = complaint("no such overlay", where=relative, do="see the well's page")
    return HTTPException(status_code=404, detail=line)


def _unreadable(relative: str) -> HTTPException:
    line = complaint("overlay cannot be read", where=relative, do="see the original")
    return HTTPException(status_code=404, detail=line)
