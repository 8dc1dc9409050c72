"""A copy of LiteRT that takes this processor for one without AVX-512 and VNNI, to measure so.

LiteRT chooses its kernels by the XGETBV instruction, which gives what the system saves of a
processor's registers, and by CPUID, and has no switch. In the copy XGETBV is replaced by an
instruction of the same length that answers "up to AVX2". Processors since Sapphire Rapids and
Zen 5 have VNNI within AVX2, too: the copy asks for a page of CPUID that is empty where it would
read of that. NumPy has a switch of its own. What does not choose kernels this way (zlib, JPEG, the
C library) stays as it is.
"""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import ai_edge_litert

XGETBV = b"\x0f\x01\xd0"
# push 7; pop rax: x87, SSE and AVX, but no AVX-512.
UP_TO_AVX2 = b"\x6a\x07\x58"
# mov eax, 7; mov ecx, 1; save a register; cpuid: page 1 of leaf 7, which has AVX-VNNI.
VNNI_PAGE = re.compile(rb"(\xb8\x07\0\0\0\xb9)\x01(\0\0\0...\x0f\xa2)", re.DOTALL)
# Pages that do not exist read as zeros.
NO_PAGE = b"\\1\xff\\2"
LIBRARIES = ("libpywrap_litert_common.so", "libLiteRt.so")
NUMPY_FEATURES = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR"
LABEL = "AVX-512 hidden: AVX2, no VNNI"


def hide_avx512(folder: Path) -> Mapping[str, str]:
    """Write the copy below `folder`; return the variables under which Python takes it.

    Raises
    ------
    ValueError
        When the library has no such instructions, and so would be measured as it is.
    """
    package = Path(ai_edge_litert.__file__).parent
    copy = folder / package.name
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("vendors", "*WebGpu*"))
    for name in LIBRARIES:
        code = (package / name).read_bytes()
        if XGETBV not in code:
            raise ValueError(f"{package / name} does not ask for the processor's registers")
        code, pages = VNNI_PAGE.subn(NO_PAGE, code)
        if not pages:
            raise ValueError(f"{package / name} does not ask for VNNI within AVX2")
        (copy / name).write_bytes(code.replace(XGETBV, UP_TO_AVX2))
    return {"PYTHONPATH": str(folder), "NPY_DISABLE_CPU_FEATURES": NUMPY_FEATURES}
