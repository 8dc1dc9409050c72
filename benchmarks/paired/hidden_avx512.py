"""A copy of LiteRT that takes this processor for one without AVX-512, to measure as on such a PC.

LiteRT chooses its kernels by the XGETBV instruction, which gives what the system saves of a
processor's registers, and has no switch. In the copy that instruction is replaced by one of the
same length that answers "up to AVX2". NumPy has a switch of its own. What does not choose kernels
this way (zlib, JPEG, the C library) stays as it is.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

import ai_edge_litert

XGETBV = b"\x0f\x01\xd0"
# push 7; pop rax: x87, SSE and AVX, but no AVX-512.
UP_TO_AVX2 = b"\x6a\x07\x58"
LIBRARIES = ("libpywrap_litert_common.so", "libLiteRt.so")
NUMPY_FEATURES = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR"
LABEL = "AVX-512 hidden: AVX2, no VNNI"


def hide_avx512(folder: Path) -> Mapping[str, str]:
    """Write the copy below `folder`; return the variables under which Python takes it.

    Raises
    ------
    ValueError
        When the library has no such instruction, and so would be measured as it is.
    """
    package = Path(ai_edge_litert.__file__).parent
    copy = folder / package.name
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("vendors", "*WebGpu*"))
    for name in LIBRARIES:
        code = (package / name).read_bytes()
        if XGETBV not in code:
            raise ValueError(f"{package / name} does not ask for the processor's registers")
        (copy / name).write_bytes(code.replace(XGETBV, UP_TO_AVX2))
    return {"PYTHONPATH": str(folder), "NPY_DISABLE_CPU_FEATURES": NUMPY_FEATURES}
