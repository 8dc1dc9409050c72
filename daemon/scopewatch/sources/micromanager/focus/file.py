"""What is known of the focus, as it lies in the file of a kept plan."""

from types import MappingProxyType
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat

from scopewatch.sources.micromanager.focus.kept import FocusKept, FocusPass, GoodFocus

_Index = Annotated[int, Field(ge=0)]


class _Kept(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Good(_Kept):
    position: str
    planned_um: FiniteFloat
    correction_um: FiniteFloat
    time_point: _Index


class _Failed(_Kept):
    position: str
    reason: str


class _Pass(_Kept):
    time_point: _Index
    at: AwareDatetime
    focused: _Index
    drift_um: FiniteFloat | None
    failed: tuple[_Failed, ...] = ()


class _Mark(_Kept):
    time_point: _Index
    position: str
    reason: str


class FocusFile(_Kept):
    """The focus of a time-lapse; what later versions add is passed over."""

    home_um: FiniteFloat | None = None
    good: tuple[_Good, ...] = ()
    passes: tuple[_Pass, ...] = ()
    marks: tuple[_Mark, ...] = ()

    @classmethod
    def of(cls, kept: FocusKept) -> "FocusFile":
        """Write down what is known."""
        return cls(
            home_um=kept.home_um,
            good=tuple(
                _Good(
                    position=label,
                    planned_um=good.planned_um,
                    correction_um=good.correction_um,
                    time_point=good.time_point,
                )
                for label, good in kept.good.items()
            ),
            passes=tuple(
                _Pass(
                    time_point=each.time_point,
                    at=each.at,
                    focused=each.focused,
                    drift_um=each.drift_um,
                    failed=tuple(
                        _Failed(position=label, reason=why) for label, why in each.failed.items()
                    ),
                )
                for each in kept.passes
            ),
            marks=tuple(
                _Mark(time_point=time_point, position=label, reason=why)
                for (time_point, label), why in kept.marks.items()
            ),
        )

    def kept(self) -> FocusKept:
        """Return what was written down."""
        return FocusKept(
            home_um=self.home_um,
            good=MappingProxyType(
                {
                    each.position: GoodFocus(
                        planned_um=each.planned_um,
                        correction_um=each.correction_um,
                        time_point=each.time_point,
                    )
                    for each in self.good
                }
            ),
            passes=tuple(
                FocusPass(
                    time_point=each.time_point,
                    at=each.at,
                    focused=each.focused,
                    drift_um=each.drift_um,
                    failed=MappingProxyType({one.position: one.reason for one in each.failed}),
                )
                for each in self.passes
            ),
            marks=MappingProxyType(
                {(each.time_point, each.position): each.reason for each in self.marks}
            ),
        )
