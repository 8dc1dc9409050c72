"""What all parts of a model card share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, le=1)]


class Strict(BaseModel):
    """A part of a card: an unknown key is refused, and nothing is changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)
