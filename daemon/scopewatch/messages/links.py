"""Addresses of the dashboard's pages."""

from urllib.parse import quote


def segment(name: str) -> str:
    """Write a name as one segment of an address.

    Names of runs and plates may hold any character. Servers decode `%2F` before they look at
    the slashes of a path, so a slash within a name is escaped a second time.
    """
    return quote(name.replace("%", "%25").replace("/", "%2F"), safe="")


def well_link(base: str, run: str, plate: str, well: str) -> str:
    """Return the address of a well's page; `base` is that of the dashboard."""
    return "/".join((base.rstrip("/"), "wells", *map(segment, (run, plate, well))))


def alerts_link(base: str) -> str:
    """Return the address of the page of alerts."""
    return f"{base.rstrip('/')}/alerts"
