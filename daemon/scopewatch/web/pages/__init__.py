"""The HTML pages, and the forms on them."""

from fastapi import APIRouter

from scopewatch.web.pages import acquisition, alerts, languages, pictures, plates, quarantine, wells

routes = APIRouter()
for _page in (plates, wells, quarantine, alerts, languages, pictures, acquisition):
    routes.include_router(_page.routes)
