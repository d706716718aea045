"""Damage that knows where a format keeps its sizes, offsets, shapes and settings.

Random bytes rarely get past the first check. These edits leave the rest of a file intact, repair
the checksum where there is one, and so reach the code behind.
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from fuzz.mutations import (
    BYTE_MUTATIONS,
    EXTREMES,
    TEXT_MUTATIONS,
    Mutation,
    extreme_bytes,
    is_text,
)

__all__ = ["mutate"]

# names in front of fields: boxes of QuickTime and MP4, chunks of RIFF, GIF and JPEG markers
_MARKERS = re.compile(
    rb"moov|mvhd|trak|tkhd|mdhd|hdlr|stsd|avc1|avcC|mp4v|mp4a|esds|stts|ctts|stsc|stsz|stco|co64|"
    rb"stss|elst|edts|sidx|moof|mfhd|traf|tfhd|tfdt|trun|mdat|ftyp|trex|mehd|pasp|colr|"
    rb"RIFF|avih|strh|strf|idx1|movi|LIST|JUNK|VP8X|VP8 |VP8L|ANIM|ANMF|EXIF|ALPH|"
    rb"ispe|iloc|ipma|iinf|meta|av1C|jP  |ihdr|colr|"
    rb"\xff[\xc0-\xc4\xda\xdb\xdd\xe1]|\x21\xf9\x04|\x2c|"
    rb"FLV|onMetaData|width|height|duration|framerate|"
    rb"\xb0|\xba|\x2a\xd7\xb1|\x44\x89|\x54\xb0|\x54\xba|\x23\xe3\x83|\xae|\xa3|\x1f\x43\xb6\x75"
)
_JSON_VALUES: tuple[Any, ...] = (
    -1, 0, 1, 3, 2**31, 2**63, 2**64, 10**400, 1.5, -1.5, 1e308, float("nan"), float("inf"), "",
    "F64", "I8", "BF16", "F8_E4M3", "../../x", "x" * 300, "\x1b[2J\n", "\ud800", None, True, False,
    [], {}, [0], [2**62, 2**62], [-1, 4], [0, 0], {"a": 1}, [[[]]],
)  # fmt: skip


def edit_field(data: bytes, rng: Random, other: bytes) -> bytes:
    """Put an extreme number near a name that stands in front of fields."""
    found = [m.end() for m in _MARKERS.finditer(data[: 1 << 20])]
    if not found:
        return data
    # names in the first bytes of a file are likelier than chance finds in its payload
    at = found[min(rng.randrange(len(found)), rng.randrange(len(found)))] + rng.choice(
        (-8, 0, 1, 2, 4, 6, 8, 12, 16, 24, 28, 32, 36, 40)
    )
    at = max(0, at)
    new = extreme_bytes(rng, rng.choice((1, 2, 2, 4, 4, 8)))
    return data[:at] + new + data[at + len(new) :]


def edit_png(data: bytes, rng: Random, other: bytes) -> bytes:
    """Change, drop, repeat or move a chunk, and make its checksum right again."""
    chunks = []
    at = 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    if not chunks:
        return data
    i = rng.choice((0, rng.randrange(len(chunks))))
    name, body = chunks[i]
    what = rng.randrange(6)
    if what == 0:
        chunks.insert(rng.randrange(len(chunks)), (name, body))
    elif what == 1:
        del chunks[i]
    elif what == 2 and name in (b"IDAT", b"zTXt", b"iCCP", b"fdAT"):
        chunks[i] = (name, zlib.compress(bytes(rng.choice((10, 30_000_000)))))
    elif what == 3 and name == b"IHDR":
        sizes = (rng.choice((1, 12_000, 30_000, 2**31 - 1)) for _ in range(2))
        chunks[i] = (name, struct.pack(">II", *sizes) + body[8:])
    elif body:
        at = rng.randrange(len(body))
        new = extreme_bytes(rng)
        chunks[i] = (name, (body[:at] + new + body[at + len(new) :])[: len(body)])
    whole = data[:8]
    for name, body in chunks:
        whole += struct.pack(">I", len(body)) + name + body
        whole += struct.pack(">I", zlib.crc32(name + body))
    return whole


def edit_tiff(data: bytes, rng: Random, other: bytes) -> bytes:
    """Change tag, type, count or value of an entry of the first directory (little-endian)."""
    (at,) = struct.unpack_from("<I", data, 4)
    if at + 2 > len(data):
        return data
    (n,) = struct.unpack_from("<H", data, at)
    entry = at + 2 + 12 * rng.randrange(max(1, n))
    offset, width = rng.choice(((0, 2), (2, 2), (4, 4), (8, 4), (8, 2)))
    new = extreme_bytes(rng, width)
    return data[: entry + offset] + new + data[entry + offset + width :]


def edit_gif(data: bytes, rng: Random, other: bytes) -> bytes:
    """Change the size of the screen or of a picture."""
    places = [6, 8] + [m.end() + rng.choice((4, 6)) for m in re.finditer(rb"\x2c\0\0\0\0", data)]
    at = rng.choice(places)
    return data[:at] + extreme_bytes(rng, 2) + data[at + 2 :]


def edit_parquet(data: bytes, rng: Random, other: bytes) -> bytes:
    """Damage the footer, which holds schema, places and metadata, or its length."""
    length = int.from_bytes(data[-8:-4], "little")
    if rng.random() < 0.1:
        return data[:-8] + extreme_bytes(rng, 4) + data[-4:]
    if not 0 < length <= len(data) - 12:
        return data
    start = len(data) - 8 - length
    footer = rng.choice((*BYTE_MUTATIONS, *TEXT_MUTATIONS))(data[start:-8], rng, other)
    return data[:start] + footer + len(footer).to_bytes(4, "little") + data[-4:]


def edit_safetensors(data: bytes, rng: Random, other: bytes) -> bytes:
    """Change the JSON of the header, or of what its metadata holds, and set its length right."""
    length = int.from_bytes(data[:8], "little")
    rest = data[8 + length :]
    try:
        header = json.loads(data[8 : 8 + length])
    except (ValueError, RecursionError):
        return data
    if not isinstance(header, dict):
        return data
    metadata = header.get("__metadata__")
    if isinstance(metadata, dict) and rng.random() < 0.6:
        key = rng.choice(sorted(metadata) or ["config"])
        metadata[key] = _edited_json_text(metadata.get(key), rng)
    else:
        _edit_json(header, rng)
    text = json.dumps(header).encode("utf-8", "surrogatepass")
    if rng.random() < 0.15:
        text = rng.choice((*BYTE_MUTATIONS, *TEXT_MUTATIONS, _nest))(text, rng, other)
    return len(text).to_bytes(8, "little") + text + rest


def _edited_json_text(text: Any, rng: Random) -> Any:
    try:
        content = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return rng.choice(_JSON_VALUES)
    if not isinstance(content, (dict, list)) or rng.random() < 0.1:
        return rng.choice(("", "{", "[]", "null", "NaN", "[" * 100_000, rng.choice(_JSON_VALUES)))
    _edit_json(content, rng)
    return json.dumps(content)


def _edit_json(content: Any, rng: Random) -> None:
    """Replace, drop, rename or copy one value somewhere in the tree."""
    slots: list[tuple[Any, Any]] = []

    def collect(node: Any) -> None:
        keys = list(node) if isinstance(node, dict) else range(len(node))
        for key in keys:
            slots.append((node, key))
            if isinstance(node[key], (dict, list)):
                collect(node[key])

    collect(content)
    if not slots:
        return
    for _ in range(rng.choice((1, 1, 2))):
        node, key = rng.choice(slots)
        if isinstance(node, dict) and key not in node:
            continue
        what = rng.randrange(6)
        if what == 0 and isinstance(node, dict):
            del node[key]
        elif what == 1 and isinstance(node, dict):
            node[f"{key}x"] = node.pop(key)
        elif what == 2:
            there, that = rng.choice(slots)
            node[key] = json.loads(json.dumps(there[that])) if _holds(there, that) else None
        elif what == 3 and type(node[key]) is int:
            node[key] = rng.choice((*EXTREMES, node[key] + 1, node[key] * 2, -node[key]))
        else:
            node[key] = rng.choice(_JSON_VALUES)


def _holds(node: Any, key: Any) -> bool:
    return key in node if isinstance(node, dict) else key < len(node)


def _nest(data: bytes, rng: Random, other: bytes) -> bytes:
    return data.replace(b"[", b"[" * 100_000, 1)


def edit_xml(data: bytes, rng: Random, other: bytes) -> bytes:
    """Entities that unfold to a gigabyte or name another file, and elements within elements."""
    what = rng.randrange(4)
    root = re.search(rb"<[A-Z_]+", data)
    start = root.start() if root else 0
    if what == 0:
        laughs = b'<!ENTITY a0 "ha">' + b"".join(
            b'<!ENTITY a%d "%s">' % (i, b"&a%d;" % (i - 1) * 10) for i in range(1, 10)
        )
        data = data[:start] + b"<!DOCTYPE x [" + laughs + b"]>" + data[start:]
        return re.sub(rb">[^<>\s]+<", b">&a9;<", data, count=1)
    if what == 1:
        data = data[:start] + b'<!DOCTYPE x [<!ENTITY f SYSTEM "/etc/hostname">]>' + data[start:]
        return re.sub(rb">[^<>\s]+<", b">&f;<", data, count=1)
    if what == 2:
        return data[:start] + b"<x>" * 50_000 + data[start:]
    attributes = list(re.finditer(rb'="[^"]*"', data))
    if not attributes:
        return data
    chosen, model = rng.choice(attributes), rng.choice(attributes)
    return data[: chosen.start()] + model[0] + data[chosen.end() :]


_STRUCTURES: Sequence[tuple[Callable[[bytes], bool], Mutation]] = (
    (lambda d: d.startswith(b"\x89PNG"), edit_png),
    (lambda d: d.startswith(b"II*\0"), edit_tiff),
    (lambda d: d.startswith(b"GIF8"), edit_gif),
    (lambda d: d.startswith(b"PAR1"), edit_parquet),
    (lambda d: d[8:9] == b"{", edit_safetensors),
    (lambda d: d.startswith(b"<?xml"), edit_xml),
)


def mutate(data: bytes, rng: Random, other: bytes) -> bytes:
    """Damage a file once, seldom twice or three times, by what is known of its kind.

    Parameters
    ----------
    data
        An intact file.
    rng
        Decides everything.
    other
        Another file, parts of which may be put in.
    """
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        editors = [edit for fits, edit in _STRUCTURES if fits(data)]
        if not is_text(data):
            editors.append(edit_field)
        general = TEXT_MUTATIONS if is_text(data) and rng.random() < 0.7 else BYTE_MUTATIONS
        chosen = rng.choice(editors) if editors and rng.random() < 0.55 else rng.choice(general)
        data = chosen(data, rng, other)
    return data
