"""Seeded mutations of valid inputs: flipped, cut, repeated and spliced bytes, extreme numbers."""

import random
import struct

ABSURD = (0, 1, 2, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE, 2**31 + 8)
TOKENS = (
    *(b"{", b"}", b"[", b"]", b'"', b":", b",", b"\\", b"\x00", b"\n", b"&", b"*", b"<", b">"),
    *(b"../", b"..\\", b"null", b"true", b"-1", b"1e999", b"9" * 40, b"9" * 5000, b"NaN"),
    *(b"<!DOCTYPE x>", b'<!ENTITY a "b">', b"&a;", b"]]>", b"<!--", b"\xed\xa0\x80", b"\xff\xfe"),
    *(b'"\\ud800"', b"<<: *a", b"&a", b"*a", b"!!python/object:os.system", b"2026-99-99"),
    *(b"!!timestamp x", b"!!float x", b"0x_", b"? ", b"- - - ", b"%YAML 9.9\n", b"1:99:99:99"),
)


def mutate(data: bytes, dice: random.Random, others: list[bytes]) -> bytes:
    """Return a damaged copy of `data`; the same random state gives the same damage."""
    damaged = bytearray(data)
    for _ in range(1 + int(dice.expovariate(0.5))):
        _damage_once(damaged, dice, others)
    return bytes(damaged)


def _damage_once(data: bytearray, dice: random.Random, others: list[bytes]) -> None:
    at = _place(len(data), dice)
    match dice.randrange(9):
        case 0:
            if data:
                data[at % len(data)] ^= 1 << dice.randrange(8)
        case 1:
            if data:
                data[at % len(data)] = dice.randrange(256)
        case 2:
            del data[at:]
        case 3:
            del data[at : at + dice.randrange(1, 64)]
        case 4:
            piece = bytes(data[at : at + dice.randrange(1, 256)])
            data[at:at] = piece * dice.randrange(1, 4)
        case 5:
            code = dice.choice(("<I", ">I", "<H", ">H", "<Q"))
            number = dice.choice(ABSURD) & (2 ** (8 * struct.calcsize(code)) - 1)
            data[at : at + struct.calcsize(code)] = struct.pack(code, number)
        case 6:
            token = dice.choice(TOKENS)
            data[at : at + (len(token) if dice.random() < 0.5 else 0)] = token
        case 7:
            other = dice.choice(others)
            start = _place(len(other), dice)
            data[at:at] = other[start : start + dice.randrange(1, 200)]
        case _:
            if len(data) >= 4:
                # Many numbers are offsets into the file: replace one by another offset.
                data[at : at + 4] = struct.pack("<I", dice.randrange(len(data)))


def _place(length: int, dice: random.Random) -> int:
    """Return a position; the ends of a file hold its structure far more often than the middle."""
    if length < 2:
        return 0
    draw = dice.random()
    if draw < 0.4:
        return dice.randrange(min(length, 512))
    if draw < 0.6:
        return length - 1 - dice.randrange(min(length, 1024))
    return dice.randrange(length)
