"""Settings of what a time-lapse does by itself, or leaves out, by what is known of its wells."""

from pydantic import Field

from scopewatch.config.strict import Strict


class FlaggedFluorescenceConfig(Strict):
    """The channel in which a flagged well is taken once."""

    group: str
    preset: str
    exposure_ms: float = Field(gt=0)


class MoreSitesConfig(Strict):
    """Further sites of wells in doubt: of which it is not clear whether they reach the target."""

    offsets_um: tuple[tuple[float, float], ...] = Field(
        min_length=1, max_length=16, description="from the first site of the well: [[600, 0]]"
    )
    doubt: float = Field(
        default=0.2,
        gt=0,
        lt=0.5,
        description="a well is in doubt where its probability of ending below the target of a rule"
        " weak-forecast is within this of 0.5",
    )
    most_wells: int = Field(default=4, ge=1, description="wells with further sites at a time")


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
    more_sites: MoreSitesConfig | None = Field(
        default=None,
        description="a well in doubt is taken at further sites from the next time point on",
    )
    most_per_time_point: int = Field(
        default=8,
        ge=1,
        description="images beyond the plan at one time point, at most; further sites come besides",
    )

    @property
    def takes_images(self) -> bool:
        """Whether images beyond the plan may be taken."""
        wanted = self.fluorescence_of_flagged is not None or self.more_sites is not None
        return self.reimage_unfit or wanted
