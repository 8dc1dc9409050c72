"""The layouts that `pattern` of a source may name, in their order of priority."""

from collections.abc import Mapping
from types import MappingProxyType

from scopewatch.sources.layouts.instruments import (
    cellomics,
    cytation,
    evos,
    harmony,
    imagexpress,
    incell,
    incucyte,
    keyence,
    leica,
    lumaview,
    metamorph,
    micromanager,
    nis,
    pyincucyte,
    scanr,
    scopewatch,
    squid,
    useq,
    yokogawa,
    zen,
)
from scopewatch.sources.layouts.layout import Layout

_MODULES = (
    scopewatch,
    micromanager,
    useq,
    incucyte,
    pyincucyte,
    keyence,
    # Names that both can read are read as cellomics: names of EVOS hold more parts.
    cellomics,
    evos,
    harmony,
    imagexpress,
    yokogawa,
    cytation,
    leica,
    zen,
    nis,
    scanr,
    metamorph,
    incell,
    lumaview,
    squid,
)
LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {module.LAYOUT.name: module.LAYOUT for module in _MODULES}
)
