"""Adds the squares of one TFLite file to another whose tiles must stay as they are.

Converting a network once more gives ranges that differ in the sixth digit from one processor to
another, and so other scores of single tiles, by a step.
"""

from copy import copy
from math import isclose
from typing import Any, Final

from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from scopewatch.core.errors import ModelError, complaint

_SQUARES: Final = "area"
MOST_RANGE: Final = 0.001
"""By how much ranges may differ; those of the same frames differ by a millionth."""


def add_squares(model: bytes, donor: bytes) -> bytes:
    """Return `model` with the second output of `donor`, a conversion of the same network.

    Its first output, and all that leads there, stay bit for bit.

    Raises
    ------
    ModelError
        When the two are not of one network.
    """
    target, source = (_read(each) for each in (model, donor))
    there, here = target.subgraphs[0], source.subgraphs[0]
    tile_steps = _leading_to(here, here.outputs[0])
    operators = list(there.operators)
    kinds, wanted = (
        [_code(content, each) for each in steps]
        for content, steps in ((target, operators), (source, tile_steps))
    )
    if kinds != wanted or len(there.outputs) != 1 or len(here.outputs) != 2:
        raise _unlike(
            f"{len(wanted)} operations and one output",
            f"{len(kinds)} operations and {len(there.outputs)} outputs",
        )
    known = {int(here.inputs[0]): int(there.inputs[0])}
    for own, other in zip(operators, tile_steps, strict=True):
        known |= dict(zip(map(int, other.outputs), map(int, own.outputs), strict=True))
    _require_ranges(source, target, known)
    taken = {id(each) for each in tile_steps}
    for step in here.operators:
        if id(step) in taken:
            continue
        moved = copy(step)
        moved.opcodeIndex = _opcode(target, source.operatorCodes[step.opcodeIndex])
        moved.inputs, moved.outputs = (
            [_move(int(tensor), source, target, known) for tensor in tensors]
            for tensors in (step.inputs, step.outputs)
        )
        there.operators.append(moved)
    squares = known[int(here.outputs[1])]
    # Each conversion names its first output alike, and OpenVINO knows outputs by name alone.
    there.tensors[squares].name = _SQUARES
    there.outputs = [int(there.outputs[0]), squares]
    for signature in target.signatureDefs or ():
        named = schema.TensorMapT()
        named.name, named.tensorIndex = _SQUARES, squares
        signature.outputs.append(named)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(target))


def _require_ranges(source: Any, target: Any, known: dict[int, int]) -> None:
    """Refuse a donor of other ranges: the biases of its squares would be off."""
    for one, two in known.items():
        here, there = (
            float(content.subgraphs[0].tensors[index].quantization.scale[0])
            for content, index in ((source, one), (target, two))
        )
        if not isclose(here, there, rel_tol=MOST_RANGE):
            raise _unlike(
                f"ranges within {MOST_RANGE:.1%}", f"a step of {here:.5g} for {there:.5g}"
            )


def _unlike(expected: str, got: str) -> ModelError:
    return ModelError(
        complaint(
            "squares can only be added to a file of the same network and frames without them",
            where="int8 network",
            expected=expected,
            got=got,
            do="quantise it without keeping its tiles",
        )
    )


def _read(model: bytes) -> Any:
    return flatbuffer_utils.read_model_from_bytearray(bytearray(model))


def _leading_to(graph: Any, tensor: int) -> list[Any]:
    """Return the operations that a tensor depends on, in their order."""
    wanted, found = {int(tensor)}, []
    for step in reversed(graph.operators):
        if wanted & set(map(int, step.outputs)):
            wanted |= set(map(int, step.inputs))
            found.append(step)
    return found[::-1]


def _code(content: Any, step: Any) -> int:
    return int(content.operatorCodes[step.opcodeIndex].builtinCode)


def _opcode(target: Any, code: Any) -> int:
    """Return the index of a kind of operation, which is added where it is missing."""
    for index, each in enumerate(target.operatorCodes):
        if (each.builtinCode, each.version) == (code.builtinCode, code.version):
            return index
    target.operatorCodes.append(code)
    return len(target.operatorCodes) - 1


def _move(index: int, source: Any, target: Any, known: dict[int, int]) -> int:
    """Return the index of a tensor of `source` in `target`, where it is added if need be."""
    if index not in known:
        tensor = copy(source.subgraphs[0].tensors[index])
        buffer = source.buffers[tensor.buffer]
        tensor.buffer = len(target.buffers)
        target.buffers.append(buffer)
        tensors = target.subgraphs[0].tensors
        tensors.append(tensor)
        known[index] = len(tensors) - 1
    return known[index]
