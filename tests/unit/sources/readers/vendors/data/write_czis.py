"""Writes the CZI files in this folder with libCZI (Zeiss): pip install pylibCZIrw==6.1.0.

The library takes 100 MB, so it is no dependency of the tests. Two scenes (no wells: the library
writes no names of scenes), two time points, two channels; uncompressed and with Zstandard.
"""

from pathlib import Path

import numpy as np
from pylibCZIrw import czi

COMPRESSIONS = {
    "plain": None,
    "zstd0": "zstd0:ExplicitLevel=3",
    "zstd1": "zstd1:ExplicitLevel=3;PreProcess=HiLoByteUnpack",
}

for name, compression in COMPRESSIONS.items():
    options = {} if compression is None else {"compression_options": compression}
    path = Path(__file__).parent / f"{name}.czi"
    with czi.create_czi(str(path), exist_ok=True, **options) as file:
        for time in range(2):
            for scene in range(2):
                for channel in range(2):
                    rng = np.random.default_rng(100 * time + 10 * scene + channel)
                    pixels = rng.integers(100, 4000, (24, 32)).astype(np.uint16)
                    plane = {"T": time, "C": channel, "Z": 0}
                    file.write(
                        pixels[..., None], plane=plane, scene=scene, location=(1000 * scene, 0)
                    )
        names = {0: "Phase", 1: "GFP"}
        file.write_metadata("run", channel_names=names, scale_x=1.3e-6, scale_y=1.3e-6)
