"""Specification of a network: its layers, without building them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from scopewatch.core.errors import ConfigError, complaint

QUARTERS = 4
"""Squares along the side of a tile for which the area head gives the positive share."""
TILE_SIDES_PX = (8, 16, 32, 64, 128)
CONTEXTS = ("full", "none")
LESSONS = ("labels", "brightness")
PATCHES = "patches"
"""Name of the layer that cuts a frame into patches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualSize:
    """Width and depth of a network, and steps of its training, unless others are given."""

    width: int
    depth: int
    steps: int


USUAL_SIZES: Final[Mapping[str, UsualSize]] = MappingProxyType(
    {
        "patches": UsualSize(width=48, depth=1, steps=1500),
        "halvings": UsualSize(width=64, depth=3, steps=500),
    }
)
"""By stem. Patches have fewer products and learn more slowly: both take as long to train."""
STEMS = tuple(USUAL_SIZES)


def require_tile_side(tile_px: int) -> None:
    """Refuse a side of tiles that no network has.

    Raises
    ------
    ConfigError
        When it is none of `TILE_SIDES_PX`.
    """
    if tile_px in TILE_SIDES_PX:
        return
    sides = ", ".join(map(str, TILE_SIDES_PX))
    near = min(TILE_SIDES_PX, key=lambda side: abs(side - tile_px))
    raise ConfigError(
        complaint(
            "tile size is not supported",
            where="tile_px",
            expected=f"one of {sides}: a network halves a frame until a pixel is a tile",
            got=tile_px,
            do=f"take {near}, which is nearest",
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSpec:
    """Size and kind of a network.

    Parameters
    ----------
    tile_px
        Side of a tile; a power of two from 8 to 128.
    width
        Channels at the middle resolution; the others are in proportion.
    depth
        3x3 convolutions at full width after the middle resolution is reached.
    context
        `full`: a tile is judged with what surrounds it. `none`: nothing crosses the border of a
        tile, as if each tile were cut out and scored alone.
    learns
        `labels`: which tiles are positive. `brightness`: how bright the marker is, on squares a
        quarter as wide as a tile, whose mean is a tile's score. It suits data sets with a few
        hundred positive labels, since every square has a brightness.
    stem
        How a frame comes to the middle resolution. `patches`: each patch of 2 x 2 px becomes one
        pixel with 4 channels, and a single convolution leads to the next resolution. `halvings`:
        by convolutions alone, two at each resolution, which takes three times as long. Tiles of
        8 px are too small for patches.
    """

    tile_px: int = 32
    width: int = USUAL_SIZES["patches"].width
    depth: int = USUAL_SIZES["patches"].depth
    context: Literal["full", "none"] = "full"
    learns: Literal["labels", "brightness"] = "labels"
    stem: Literal["patches", "halvings"] = "patches"

    def __post_init__(self) -> None:
        for name, value, words in (
            ("context", self.context, CONTEXTS),
            ("learn", self.learns, LESSONS),
            ("stem", self.stem, STEMS),
        ):
            if value not in words:
                raise ConfigError(
                    complaint(
                        "network is outside the family",
                        where=name,
                        expected=" or ".join(words),
                        got=value,
                        do="correct the setting",
                    )
                )
        require_tile_side(self.tile_px)
        if self.width < 16 or self.width % 16 or not 0 <= self.depth <= 12:
            raise ConfigError(
                complaint(
                    "network is outside the family",
                    where="width, depth",
                    expected="a width that is a multiple of 16, a depth of 0 to 12",
                    got=f"width {self.width}, depth {self.depth}",
                    do="correct the setting",
                )
            )

    @property
    def patch_px(self) -> int:
        """Side of the patches that a frame is cut into before the first convolution; 1: none."""
        return 2 if self.stem == "patches" and self.tile_px > 2 * QUARTERS else 1

    @property
    def suits_patches(self) -> bool:
        """Whether patches are the usual stem of such a network.

        Where brightness is learnt nothing follows the middle resolution, so that a tile would be
        judged by little around it; tiles of 8 px have no patches.
        """
        return self.learns == "labels" and self.tile_px > 2 * QUARTERS

    @property
    def head_side(self) -> int:
        """Side of the square of last features that one tile's score is taken from."""
        return QUARTERS if self.learns == "brightness" else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Convolution:
    """One layer of the plan: kernel and stride in pixels of its input, and channels.

    `early` layers, those of `halvings` before the middle resolution, are clipped.
    """

    name: str
    kernel: int
    stride: int
    channels: int
    early: bool


def plan_layers(spec: NetworkSpec) -> tuple[Convolution, ...]:
    """List the convolutions of a network from input to the last feature map.

    `plan[i].name == "middle"` is the layer that the area head hangs on.
    """
    halvings = spec.tile_px.bit_length() - 1
    middle = max(1, halvings - 2)
    # Brightness is learnt at the middle resolution, and nothing comes after it.
    last = middle if spec.learns == "brightness" else halvings
    plan = []
    for level in range(spec.patch_px.bit_length(), last + 1):
        channels = _channels(spec, level - middle)
        # In `none` a strided kernel covers exactly its stride, and the others a single pixel:
        # nothing can cross the border of a tile.
        kernel = 3 if spec.context == "full" else 2
        early = level < middle and spec.stem == "halvings"
        plan.append(
            Convolution(
                name=f"down{level}", kernel=kernel, stride=2, channels=channels, early=early
            )
        )
        extra = _extra(spec, level - middle)
        inner = 3 if spec.context == "full" else 1
        plan.extend(
            Convolution(
                name=f"level{level}_{i}", kernel=inner, stride=1, channels=channels, early=early
            )
            for i in range(extra)
        )
    return tuple(plan)


def ensemble_prefixes(members: int) -> tuple[str, ...]:
    """Return the prefixes of layer names of networks that are joined."""
    return ("",) if members == 1 else tuple(f"net{index + 1}_" for index in range(members))


def receptive_field_px(spec: NetworkSpec) -> int:
    """Side of the square of input pixels that one tile's score can depend on."""
    side = jump = spec.patch_px
    for layer in plan_layers(spec):
        side += (layer.kernel - 1) * jump
        jump *= layer.stride
    return side + (spec.head_side - 1) * jump


def _channels(spec: NetworkSpec, beyond: int) -> int:
    """Channels after so many halvings beyond the middle: more where pixels are few."""
    if spec.stem == "patches":
        # Few where pixels are many, and twice as many after the middle.
        share = {0: 1.0, 1: 2.0, 2: 8 / 3}.get(beyond, 2 / 3)
    elif beyond > 0:
        share = 1 + 0.5 * beyond
    else:
        share = {0: 1.0, -1: 0.75}.get(beyond, 0.25)
    return max(16, round(spec.width * share / 16) * 16)


def _extra(spec: NetworkSpec, beyond: int) -> int:
    """3x3 convolutions that follow the halving to so many levels beyond the middle."""
    if beyond == 0:
        return spec.depth
    if beyond > 0:
        return 1 + (spec.depth > 3)
    return int(beyond == -1 and spec.stem == "halvings")
