"""Base of every section of `config.yaml`: frozen and strict, so that misplaced keys show."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(gt=0, lt=1)]
Seconds = Annotated[float, Field(gt=0)]


class Strict(BaseModel):
    """Base of all sections."""

    model_config = ConfigDict(extra="forbid", frozen=True)
