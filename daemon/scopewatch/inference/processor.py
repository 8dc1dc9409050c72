"""The processor of this machine: what it is called, and what its kernels are chosen by."""

import os
import platform
from hashlib import sha256
from pathlib import Path
from typing import Final

CPU_INFO: Final = Path("/proc/cpuinfo")
# They limit the instructions that OpenVINO uses.
_LIMITS: Final = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")


def describe_processor(cpu_info: Path = CPU_INFO) -> str:
    """Return the name of the processor, and whether it multiplies 8-bit codes exactly (VNNI)."""
    facts = _read_facts(cpu_info)
    name = facts.get("model name") or platform.processor() or platform.machine() or "unknown"
    flags = facts.get("flags", "").split()
    if not flags:
        return name
    return f"{name} ({'with' if _has_vnni(flags) else 'without'} VNNI)"


def processor_key(cpu_info: Path = CPU_INFO) -> str:
    """Return twelve digits that change where other kernels may be chosen."""
    facts = _read_facts(cpu_info)
    kernels = sorted(facts.get("flags", facts.get("Features", "")).split())
    limits = [os.environ.get(name, "") for name in _LIMITS]
    known = [platform.machine(), facts.get("model name", platform.processor()), *kernels, *limits]
    return sha256("\n".join(known).encode()).hexdigest()[:12]


def _read_facts(cpu_info: Path) -> dict[str, str]:
    """Return what Linux says of one core; nothing elsewhere."""
    try:
        lines = cpu_info.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return {name.strip(): value.strip() for name, value in pairs}


def _has_vnni(flags: list[str]) -> bool:
    return bool({"avx512_vnni", "avx_vnni"} & set(flags))
