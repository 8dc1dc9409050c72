"""JSON that Squid (Cephla) writes as the description of each page of its stacks.

Checked against the source code of Squid. Times are local to the microscope, without a zone.
"""

from scopewatch.sources.base.address import named
from scopewatch.sources.base.facts import NOTHING, PlaneFacts
from scopewatch.sources.readers.micromanager_metadata import load_tags
from scopewatch.sources.readers.timestamps import parse_time, time_facts

WHO = "Squid's description"


def is_squid(text: str) -> bool:
    """Return whether an image description was written by Squid."""
    return text.startswith("{") and '"region_id"' in text and '"z_level"' in text


def squid_facts(text: str) -> PlaneFacts:
    """Return the facts in the description of a page; `NOTHING` where it is damaged.

    Region and field are in the name of the file, in which a region may be renamed.
    """
    tags = load_tags(text)
    if tags is None:
        return NOTHING
    z = tags.get("z_level")
    return PlaneFacts(
        channel=named(tags.get("channel")),
        z=z if isinstance(z, int) and not isinstance(z, bool) else None,
    ).over(time_facts(parse_time(tags.get("time"))))
