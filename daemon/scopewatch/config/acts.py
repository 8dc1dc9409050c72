"""Settings of what a time-lapse does by itself, or leaves out, by what is known of its wells."""

from pydantic import Field

from scopewatch.config.strict import Strict


class ActsConfig(Strict):
    """What a time-lapse may do beyond its plan; all of it is off unless switched on."""

    skip_dead: bool = Field(
        default=False,
        description="a well that somebody marks dead is left out from the next time point on",
    )
