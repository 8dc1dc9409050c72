"""A pixel U-Net of fnet's layers in PyTorch, float32, one thread, on a sixteenth of a frame.

The layers of `keras_networks.build_unet`, in the library that fnet itself uses (Ounkomol and others
2018, in 2D).
"""

import torch
from serving import SIDE_PX, serve
from torch import nn

UNET_PX = 512
CHANNELS, LEVELS = 32, 4


class Level(nn.Module):
    """One level of the U-Net with all below it."""

    def __init__(self, before: int, channels: int, below: int) -> None:
        super().__init__()
        self.first = twice(before, channels)
        self.below: nn.Module | None = None
        if below:
            self.down = normalised(nn.Conv2d(channels, channels, 2, 2), channels)
            self.below = Level(channels, 2 * channels, below - 1)
            self.up = normalised(nn.ConvTranspose2d(2 * channels, channels, 2, 2), channels)
            self.last = twice(2 * channels, channels)

    def forward(self, frame: torch.Tensor) -> torch.Tensor:
        """Map (N, before, H, W) to (N, channels, H, W)."""
        beside: torch.Tensor = self.first(frame)
        if self.below is None:
            return beside
        raised = self.up(self.below(self.down(beside)))
        joined: torch.Tensor = self.last(torch.cat((beside, raised), dim=1))
        return joined


def twice(before: int, channels: int) -> nn.Sequential:
    """Return two 3 x 3 convolutions."""
    return nn.Sequential(
        normalised(nn.Conv2d(before, channels, 3, padding=1), channels),
        normalised(nn.Conv2d(channels, channels, 3, padding=1), channels),
    )


def normalised(layer: nn.Module, channels: int) -> nn.Sequential:
    """Return a layer with batch normalisation and ReLU."""
    return nn.Sequential(layer, nn.BatchNorm2d(channels), nn.ReLU())


def main() -> None:
    """Build and serve."""
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    network = nn.Sequential(Level(1, CHANNELS, LEVELS), nn.Conv2d(CHANNELS, 1, 3, padding=1)).eval()
    crop = torch.randn(1, 1, UNET_PX, UNET_PX, generator=torch.Generator().manual_seed(0))

    def turn() -> None:
        with torch.inference_mode():
            network(crop)

    serve(turn, share=(UNET_PX / SIDE_PX) ** 2, version=torch.__version__)


if __name__ == "__main__":
    main()
