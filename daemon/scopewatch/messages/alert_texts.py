"""What each kind of alert is called, what it means, and what to do about it.

Message ids, translated into the reader's language. The fields in braces are those of
`messages.alert_message._fields`; docs/operating.md explains each kind at more length.
"""

from dataclasses import dataclass
from typing import Final

from scopewatch.core.alerts.observation import Cause
from scopewatch.core.alerts.rules import RuleKind, Severity
from scopewatch.core.alerts.state_machine import Change
from scopewatch.core.estimation.forecast import Silence
from scopewatch.core.phrases import mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The words of one kind of alert.

    Parameters
    ----------
    title, lead
        While it is open.
    do
        What to do about it.
    gone_title, gone_lead
        When it has resolved.
    over_title, over_lead
        When it has ended though nothing is well again, with what the evidence's detail says; '' for
        kinds of alert that never do.
    """

    title: str
    lead: str
    do: str
    gone_title: str
    gone_lead: str
    over_title: str = ""
    over_lead: str = ""


WORDING: Final[dict[RuleKind, Wording]] = {
    RuleKind.WEAK_FORECAST: Wording(
        title=mark("{where}: likely to end weak, {forecast} expected on day {final_day}"),
        lead=mark(
            "{subject} is heading for a weak differentiation. It is expected to reach {forecast}"
            " ({forecast_low} to {forecast_high}) on day {final_day}; the probability that it"
            " ends below its target of {target} is {probability}."
        ),
        do=mark(
            "Look at the virtual stain and at the well itself: is the phase frame in focus, and"
            " do the green tiles lie where you see cardiomyocytes? If so, decide while there is"
            " time: go on, change medium or protocol, or start a new well."
        ),
        gone_title=mark("{where}: no longer expected to end weak"),
        gone_lead=mark(
            "{subject} is now expected to reach {forecast} ({forecast_low} to {forecast_high}) on"
            " day {final_day}; the probability that it ends below its target of {target} has"
            " fallen to {probability}."
        ),
    ),
    RuleKind.WEAK_NOW: Wording(
        title=mark("{where}: weak now, {newest} on day {day}"),
        lead=mark(
            "{subject} reads {newest} on day {day}, below its target of {target}. Smoothed over"
            " its time points it stands at {now} ({now_low} to {now_high})."
        ),
        do=mark(
            "Look at the virtual stain and at the well itself: is the phase frame in focus, and"
            " do the green tiles lie where you see cardiomyocytes? Is the interval clear of the"
            " target, and are its neighbours fine? Then decide: go on, change medium, or stop and"
            " start again."
        ),
        gone_title=mark("{where}: recovered, {newest} on day {day}"),
        gone_lead=mark("{subject} reads {newest} on day {day} and has reached its target again."),
    ),
    RuleKind.PLATE_COLLAPSE: Wording(
        title=mark("{where}: {count} of {out_of} wells fail at once"),
        lead=mark(
            "On {subject}, {count} of {out_of} wells fail at the same time. So many at once point"
            " to a common cause rather than to single wells, so this is one alert for all."
        ),
        do=mark(
            "Check what all wells share: the incubator (temperature, CO2, humidity), the last"
            " change of medium, the batch of cells, and the microscope's lamp and focus."
        ),
        gone_title=mark("{where}: the plate has recovered"),
        gone_lead=mark(
            "On {subject}, too few wells fail now for a common cause. Those that still do are"
            " reported one by one."
        ),
    ),
    RuleKind.OUTLIER_WELL: Wording(
        title=mark("{where}: far below its replicates, {now} on day {day}"),
        lead=mark(
            "{subject} reads {now} on day {day}, while the wells that should behave alike have a"
            " median of {median}."
        ),
        do=mark(
            "Compare it with its neighbours on the dashboard. A single well points to pipetting,"
            " a missed change of medium, or the edge of the plate. Do not average it with its"
            " replicates before you know."
        ),
        gone_title=mark("{where}: like its replicates again"),
        gone_lead=mark("{subject} reads {now} on day {day}, close to its replicates again."),
    ),
    RuleKind.SUDDEN_CHANGE: Wording(
        title=mark("{where}: sudden change on day {day}: {cause}"),
        lead=mark(
            "{subject} looks different from one time point to the next, and has stayed so:"
            " {cause}. This is a hint from the look of the frames, not a finding."
        ),
        do=mark(
            "Look at the newest frames and at the well itself. Cells that come off leave bare"
            " ground; contamination brings fine grain or clouded medium. If you suspect"
            " contamination, keep the plate apart from others before you open it."
        ),
        gone_title=mark("{where}: looks as before"),
        gone_lead=mark("The frames of {subject} look as they did before the change."),
    ),
    RuleKind.UNFIT_FRAMES: Wording(
        title=mark("{where}: its frames cannot be judged"),
        lead=mark(
            "For {in_a_row} time points in a row no frame of {subject} could be judged (newest"
            " reason: {detail}). Until that is mended nothing is known of this well."
        ),
        do=mark(
            "See the reasons under Quarantine on the dashboard. Out of focus: focus this position"
            " again, check autofocus and condensation on the lid. Dark or empty: check lamp,"
            " shutter, stage position and medium."
        ),
        gone_title=mark("{where}: its frames can be judged again"),
        gone_lead=mark("The newest frame of {subject} could be judged."),
    ),
    RuleKind.NO_FRAMES: Wording(
        title=mark("{where}: no frame for {silent}"),
        lead=mark(
            "The last frame of {subject} came {silent} ago, and one is due every"
            " {interval}. scopewatch sees nothing: a well that goes weak now would not be"
            " noticed."
        ),
        do=mark(
            "Is the acquisition running? Is the disk or the network share there? Have the folder"
            " or the file names changed? `scopewatch check` and the dashboard say more."
        ),
        gone_title=mark("{where}: frames are coming again"),
        gone_lead=mark("A frame of {subject} has arrived. What was missed is caught up."),
    ),
    RuleKind.SOURCE_DEAD: Wording(
        title=mark("{where}: a source has given nothing for {dead}"),
        lead=mark(
            "A source of {subject} cannot watch, or its microscope gives no image: {detail}."
            " Time points that pass meanwhile are missing for good where scopewatch acquires them"
            " itself."
        ),
        do=mark(
            "A microscope: are camera, stage and controller switched on and connected, does"
            " Micro-Manager take an image with them? A folder: is it, or its network share, there?"
            " scopewatch tries again by itself, at least every ten minutes."
        ),
        gone_title=mark("{where}: its sources are watching again"),
        gone_lead=mark("All sources of {subject} are watching, and give images again."),
        over_title=mark("{where}: the acquisition is over, images are missing"),
        over_lead=mark(
            "The acquisition of {subject} is over, and gave nothing to its end: {detail}."
        ),
    ),
    RuleKind.ENDED_EARLY: Wording(
        title=mark("{where}: the acquisition ended early, on day {last_day}"),
        lead=mark(
            "The acquisition of {subject} ended on day {last_day}, though the run goes on until"
            " day {final_day}."
        ),
        do=mark(
            "If nobody stopped it on purpose, start it again with the same positions and the same"
            " name of the experiment."
        ),
        gone_title=mark("{where}: the acquisition goes on"),
        gone_lead=mark("The acquisition of {subject} is running again."),
    ),
    RuleKind.DISK_LOW: Wording(
        title=mark("{where}: only {free_gb} GB of disk space left"),
        lead=mark(
            "{free_gb} GB are free on the disk of {detail}. Once the disk with the results is full"
            " no frame is judged; frames wait, and none is lost. Once the disk with the images is"
            " full the acquisition fails, and its images are missing for good."
        ),
        do=mark(
            "Free some space on that disk, or move what lies there to a larger one: the state"
            " folder, or the path of the source once the run is over."
        ),
        gone_title=mark("{where}: enough disk space again"),
        gone_lead=mark("{free_gb} GB are free where results and images are kept."),
    ),
    RuleKind.RESTARTED: Wording(
        title=mark("{where}: scopewatch was down for {down}"),
        lead=mark(
            "scopewatch ended without having been told to, and is running again. For"
            " {down} it watched nothing."
        ),
        do=mark(
            "Frames that were written meanwhile are caught up by themselves. Find the reason in"
            " the log: a power cut, a crash, or a network share that hung."
        ),
        gone_title=mark("{where}: scopewatch is running steadily"),
        gone_lead=mark("scopewatch has been running without a break since it came back."),
    ),
    RuleKind.MODEL_REFUSED: Wording(
        title=mark("{where}: the model cannot be used"),
        lead=mark("The model bundle was refused, so that no frame is judged: {detail}"),
        do=mark(
            "Install the bundle again or correct model.bundle in config.yaml, and start scopewatch"
            " again. `scopewatch check` says when it is in order."
        ),
        gone_title=mark("{where}: the model is in use again"),
        gone_lead=mark("The model bundle was accepted, and frames are judged again."),
    ),
    RuleKind.RELOAD_REFUSED: Wording(
        title=mark("{where}: the changed configuration was refused"),
        lead=mark(
            "scopewatch was told to reload, and refused: {detail}. It goes on as before, with the"
            " old configuration and the old model."
        ),
        do=mark(
            "Correct it and reload again. `scopewatch check` lists every problem. Do not restart"
            " before that: a start with this configuration would fail."
        ),
        gone_title=mark("{where}: configuration and model are in order again"),
        gone_lead=mark("scopewatch works with the configuration and the model as they are now."),
    ),
}

NAMES: Final[dict[RuleKind, str]] = {
    RuleKind.WEAK_FORECAST: mark("likely to end weak"),
    RuleKind.WEAK_NOW: mark("weak now"),
    RuleKind.PLATE_COLLAPSE: mark("many wells fail at once"),
    RuleKind.OUTLIER_WELL: mark("far below its replicates"),
    RuleKind.SUDDEN_CHANGE: mark("sudden change"),
    RuleKind.UNFIT_FRAMES: mark("frames cannot be judged"),
    RuleKind.NO_FRAMES: mark("no frames are coming"),
    RuleKind.SOURCE_DEAD: mark("a source gives nothing"),
    RuleKind.ENDED_EARLY: mark("acquisition ended early"),
    RuleKind.DISK_LOW: mark("disk space is low"),
    RuleKind.RESTARTED: mark("scopewatch was down"),
    RuleKind.MODEL_REFUSED: mark("model cannot be used"),
    RuleKind.RELOAD_REFUSED: mark("changed configuration refused"),
}

CAUSES: Final[dict[Cause, str]] = {
    Cause.DETACHMENT: mark("cells may have come off"),
    Cause.CONTAMINATION: mark("it may be contaminated"),
    Cause.CHANGE: mark("cause unknown"),
}

# In English the forecast's own line says it, with its figures; these are for other languages.
SILENCES: Final[dict[Silence, str]] = {
    Silence.NO_TABLE: mark("the model has no forecast that beats guessing"),
    Silence.TOO_EARLY: mark("too early in the run"),
    Silence.OTHER_FINAL_DAY: mark("the model foretells another final day than this run's"),
    Silence.PAST_THE_TABLE: mark("past the last day that the model foretells from"),
    Silence.UNFIT_FRAME: mark("the newest frame cannot be judged"),
    Silence.OUTSIDE_THE_CARD: mark("the well reads what no run of the model did on such a day"),
}

SEVERITIES: Final[dict[Severity, str]] = {
    Severity.INFO: mark("information"),
    Severity.WARNING: mark("warning"),
    Severity.CRITICAL: mark("critical"),
}

GRAVER: Final = mark(
    "This alert is critical now: it got worse, or nobody has confirmed it for a long time."
)
NOTHING_TO_DO: Final = mark("Nothing to do.")
CHANGES: Final[dict[Change, str]] = {
    Change.RAISED: "{title}",
    Change.ESCALATED: mark("{title} (critical now)"),
    Change.RESOLVED: "{title}",
}
SIMULATED: Final = mark("These images, or the model that judged them, are simulated: not a result.")
PICTURES_LEFT_OUT: Final = mark("The pictures could not be sent along: see the dashboard.")
