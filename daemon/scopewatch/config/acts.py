"""Settings of what a time-lapse does by itself, or leaves out, by what is known of its wells."""

from pydantic import Field

from scopewatch.config.strict import Strict


class FlaggedFluorescenceConfig(Strict):
    """The channel in which a flagged well is taken once."""

    group: str
    preset: str
    exposure_ms: float = Field(gt=0)


class ActsConfig(Strict):
    """What a time-lapse may do beyond its plan; all of it is off unless switched on."""

    skip_dead: bool = Field(
        default=False,
        description="a well that somebody marks dead is left out from the next time point on",
    )
    reimage_unfit: bool = Field(
        default=False,
        description="a frame that is blank, overexposed or out of focus is taken once more within"
        " its time point, in focus",
    )
    fluorescence_of_flagged: FlaggedFluorescenceConfig | None = Field(
        default=None,
        description="a well is taken once in this channel when an alert calls it weak",
    )
    most_per_time_point: int = Field(
        default=8, ge=1, description="images beyond the plan at one time point, at most"
    )

    @property
    def takes_images(self) -> bool:
        """Whether images beyond the plan may be taken."""
        return self.reimage_unfit or self.fluorescence_of_flagged is not None
