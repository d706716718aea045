"""Damage that knows nothing of formats: seeded changes of bytes and of text.

A mutation takes the bytes of a file, a random generator and the bytes of another file, and gives
new bytes. The same generator gives the same damage on every machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

__all__ = ["BYTE_MUTATIONS", "EXTREMES", "TEXT_MUTATIONS", "Mutation", "extreme_bytes", "is_text"]

Mutation = Callable[[bytes, Random, bytes], bytes]

# ends of the ranges of numbers, and sizes that unfold to hundreds of megapixels or gigabytes
EXTREMES = (
    0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 12_000, 40_000, 65_500, 0x7FFF_FFFF,
    0x8000_0000, 0xFFFF_FFF0, 0xFFFF_FFFF, 2**40, 2**63 - 1, 2**64 - 1,
)  # fmt: skip
_NUMBER = re.compile(rb"[-+]?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?")
_NUMBER_TEXTS = (
    b"", b"-1", b"0", b"1e308", b"-1e308", b"1e999", b"1e-320", b"nan", b"inf", b"-inf", b"NaN",
    b"null", b"1,5", b"0x10", b"9223372036854775807", b"9223372036854775808",
    b"99999999999999999999", b"1" * 400, b"2.5", b"-0", b"True", b"1 2", b"\xd9\xa3", b"--", b"1e5",
)  # fmt: skip
_ODD = (
    b"\0", b'"', b"'", b"\r", b"\n", b"\r\n", b"\n\n", b"\t", b",", b";", b",,,,", b"\xff", b"\xc3",
    b"\xef\xbb\xbf", b"\xff\xfe", b"\x1b[2J", b"#", b"\\", b"<", b">", b"&", b"]]>",
    b"\xe2\x80\xa8", b"\x1a", b"\x85", b"a" * 70_000, b"," * 5000,
)  # fmt: skip


def extreme_bytes(rng: Random, width: int | None = None) -> bytes:
    """Give one of `EXTREMES`, cut to 1, 2, 4 or 8 bytes, in either order of bytes."""
    width = width or rng.choice((1, 2, 4, 4, 8))
    value = rng.choice(EXTREMES) & ((1 << 8 * width) - 1)
    return value.to_bytes(width, rng.choice(("little", "big")))


def is_text(data: bytes) -> bool:
    """Whether a file is text, by its first bytes."""
    return b"\0" not in data[:4096] and sum(b > 126 for b in data[:4096]) * 20 <= len(data[:4096])


def place(data: bytes, rng: Random) -> int:
    """Choose a position: beginnings and ends hold what the rest depends on."""
    where = rng.random()
    n = max(1, len(data))
    if where < 0.45:
        return rng.randrange(min(n, 512))
    if where < 0.6:
        return max(0, n - 1 - rng.randrange(min(n, 2048)))
    return rng.randrange(n)


def _put(data: bytes, at: int, new: bytes, instead: int | None = None) -> bytes:
    """Replace `instead` bytes (default: as many as there are new ones)."""
    return data[:at] + new + data[at + (len(new) if instead is None else instead) :]


def _block(data: bytes, rng: Random) -> tuple[int, int]:
    start = place(data, rng)
    return start, min(len(data), start + rng.choice((1, 4, 16, 64, 512, 4096)))


# ------------------------------------------------------------------ bytes
def flip_bits(data: bytes, rng: Random, other: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8, 64)) if data else 0):
        changed[place(data, rng)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def random_run(data: bytes, rng: Random, other: bytes) -> bytes:
    return _put(data, place(data, rng), rng.randbytes(rng.choice((1, 2, 4, 16, 256))))


def constant_run(data: bytes, rng: Random, other: bytes) -> bytes:
    length = rng.choice((2, 4, 8, 64, 1024))
    return _put(data, place(data, rng), bytes([rng.choice((0, 255, 127, 32))]) * length)


def number(data: bytes, rng: Random, other: bytes) -> bytes:
    return _put(data, place(data, rng), extreme_bytes(rng))


def truncate(data: bytes, rng: Random, other: bytes) -> bytes:
    return data[: place(data, rng)] if rng.random() < 0.5 else data[: rng.randrange(len(data) + 1)]


def behead(data: bytes, rng: Random, other: bytes) -> bytes:
    return data[rng.choice((1, 4, 64, len(data) // 2)) :]


def insert(data: bytes, rng: Random, other: bytes) -> bytes:
    return _put(data, place(data, rng), rng.randbytes(rng.choice((1, 3, 8, 100))), 0)


def delete(data: bytes, rng: Random, other: bytes) -> bytes:
    start, stop = _block(data, rng)
    return data[:start] + data[stop:]


def repeat(data: bytes, rng: Random, other: bytes) -> bytes:
    start, stop = _block(data, rng)
    return data[:stop] + data[start:stop] * rng.choice((1, 1, 3, 50)) + data[stop:]


def swap(data: bytes, rng: Random, other: bytes) -> bytes:
    (a, b), (c, d) = sorted((_block(data, rng), _block(data, rng)))
    b = min(b, c)
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def splice(data: bytes, rng: Random, other: bytes) -> bytes:
    if rng.random() < 0.5:
        return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]
    start, stop = _block(other, rng)
    return _put(data, place(data, rng), other[start:stop])


BYTE_MUTATIONS: Sequence[Mutation] = (
    flip_bits, random_run, constant_run, number, number, truncate, behead, insert, delete, repeat,
    swap, splice,
)  # fmt: skip


# ------------------------------------------------------------------ text
def replace_numbers(data: bytes, rng: Random, other: bytes) -> bytes:
    found = list(_NUMBER.finditer(data[: 1 << 18]))
    for match in sorted(
        rng.sample(found, min(len(found), rng.choice((1, 1, 3, 20)))), key=lambda m: -m.start()
    ):
        data = _put(data, match.start(), rng.choice(_NUMBER_TEXTS), len(match[0]))
    return data


def odd_characters(data: bytes, rng: Random, other: bytes) -> bytes:
    return _put(data, place(data, rng), rng.choice(_ODD), rng.choice((0, 0, 1)))


def change_lines(data: bytes, rng: Random, other: bytes) -> bytes:
    lines = data.split(b"\n")
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    what = rng.randrange(5)
    if what == 0:
        del lines[i]
    elif what == 1:
        lines.insert(j, lines[i])
    elif what == 2:
        lines[i], lines[j] = lines[j], lines[i]
    elif what == 3:
        lines = lines[:1] if rng.random() < 0.5 else lines[1:]
    else:
        lines += lines[i : i + 1] * rng.choice((2, 1000))
    return b"\n".join(lines)


def change_words(data: bytes, rng: Random, other: bytes) -> bytes:
    """Exchange, repeat, empty or misspell words of the text; names of columns come first."""
    words = list(re.finditer(rb"[A-Za-z_][\w ]*", data[: 1 << 16]))
    if not words:
        return data
    chosen = words[min(rng.randrange(len(words)), rng.randrange(len(words)))]
    new = rng.choice((b"", rng.choice(words)[0], chosen[0] * 2, chosen[0].swapcase(), b"frame"))
    return _put(data, chosen.start(), new, len(chosen[0]))


TEXT_MUTATIONS: Sequence[Mutation] = (
    replace_numbers, replace_numbers, odd_characters, change_lines, change_words, truncate,
)  # fmt: skip
