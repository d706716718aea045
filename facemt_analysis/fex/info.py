"""What is true of a whole Fex: where it comes from and what was done to it."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import PurePath
from types import MappingProxyType
from typing import Any, NoReturn

import numpy as np

from facemt_analysis.errors import FexError

__all__ = ["INFO_VERSION", "FexInfo", "FrozenMapping", "Operation", "utc_now"]

INFO_VERSION = 1
"""Version of the JSON form. Files with a higher one are refused."""

PARTLY = "in part of the table"
"""Name of the record that stands for operations which only some of the merged tables went through.
"""


def utc_now() -> str:
    """Time now as ISO 8601 in UTC, whole seconds: ``2026-01-31T12:00:00+00:00``."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class FrozenMapping(Mapping[str, Any]):
    """A mapping that cannot be edited, all the way down.

    Keys are strings; values are what JSON has: text, numbers, true, false, null, tuples for lists
    and frozen mappings for objects. Anything else is turned into one of these when the mapping is
    made (NumPy scalars and arrays, paths, sets) or refused with a ``TypeError``; NaN and infinity,
    which JSON lacks, become text. It is hashable, pickles, and a copy is the object itself.

    >>> options = FrozenMapping({"size": 256, "boxes": [1, 2]})
    >>> options["boxes"]
    (1, 2)
    >>> options["size"] = 128
    Traceback (most recent call last):
    TypeError: 'FrozenMapping' object does not support item assignment
    """

    __slots__ = ("_items",)
    _items: Mapping[str, Any]

    def __init__(self, items: Mapping[str, Any] | Iterable[tuple[str, Any]] = ()) -> None:
        given: dict[Any, Any] = dict(items)
        wrong = [key for key in given if not isinstance(key, str)]
        if wrong:
            raise TypeError(f"Keys of the metadata must be text, but got {wrong[0]!r}.")
        frozen = MappingProxyType({key: _freeze(v) for key, v in given.items()})
        object.__setattr__(self, "_items", frozen)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"FrozenMapping cannot be changed: {name!r} is not set.")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"FrozenMapping cannot be changed: {name!r} is not deleted.")

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return f"FrozenMapping({_thaw(self)!r})"

    def __reduce__(self) -> tuple[type[FrozenMapping], tuple[dict[str, Any]]]:
        return FrozenMapping, (_thaw(self),)

    def __copy__(self) -> FrozenMapping:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> FrozenMapping:
        return self


def _freeze(value: Any) -> Any:
    """Immutable JSON form of a value."""
    if isinstance(value, FrozenMapping) or value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, np.generic):
        return _freeze(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, Mapping):
        return FrozenMapping(value)
    if isinstance(value, np.ndarray):
        return _freeze(value.tolist())
    if isinstance(value, (set, frozenset)):
        return tuple(sorted((_freeze(v) for v in value), key=repr))
    if isinstance(value, (list, tuple)):
        return tuple(_freeze(v) for v in value)
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(
        f"Metadata must be text, numbers, lists or mappings of these, but got "
        f"{type(value).__name__}: {value!r:.80}."
    )


def _thaw(value: Any) -> Any:
    """Plain dicts and lists for JSON and for people."""
    if isinstance(value, FrozenMapping):
        return {key: _thaw(v) for key, v in value.items()}
    if isinstance(value, tuple):
        return [_thaw(v) for v in value]
    return value


@dataclass(frozen=True)
class Operation:
    """One thing that was done to a table.

    Parameters
    ----------
    name
        The operation, as the user calls it: ``label``, ``signal.filter``.
    arguments
        Its arguments, JSON values only.
    time
        When, ISO 8601 in UTC; None where tables were merged that went through it at different
        times.
    """

    name: str
    arguments: FrozenMapping = field(default_factory=FrozenMapping)
    time: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "arguments", FrozenMapping(self.arguments))

    def __str__(self) -> str:
        inner = ", ".join(f"{k}={_thaw(v)!r}" for k, v in self.arguments.items())
        return f"{self.name}({inner})"


_TEXT = {"type": "text"}
_MAPPING = {"type": "mapping"}


@dataclass(frozen=True)
class FexInfo:
    """Metadata of a Fex: only what is true of the whole table.

    Every field may be None: unknown, or different in the tables that were put together. What
    differs from row to row (recording, subject, condition) is a column, never a field here.
    The object cannot be changed; ``dataclasses.replace`` and :meth:`with_log` give new ones.

    Parameters
    ----------
    tool
        Program that measured the faces, with its version: ``facemt_analysis 0.1.0``, ``OpenFace``.
    weights, weights_sha256, weights_licence, weights_revision
        The network's weights: name, hash of the file, licence, revision at the place they came
        from.
    conventions
        Signs and order that turn the network's raw outputs into columns; key ``name`` names the
        set.
    chip
        Geometry of the crop the network sees: shape, expansion, size, how it is fitted to the
        input.
    face_detector, face_detector_options
        Name of the face detector and its settings.
    options
        Settings of the detection: frames taken, groups, thresholds, precision.
    versions
        Versions of the software that took part, by distribution name.
    created
        When the table was made, ISO 8601 in UTC.
    log
        Operations applied since, oldest first.

    Examples
    --------
    >>> info = FexInfo(weights="open", options={"every": 2})
    >>> info.options["every"], info.face_detector
    (2, None)
    >>> other = FexInfo(weights="open", options={"every": 1})
    >>> FexInfo.merge([info, other]).options is None
    True
    """

    tool: str | None = field(default=None, metadata=_TEXT)
    weights: str | None = field(default=None, metadata=_TEXT)
    weights_sha256: str | None = field(default=None, metadata=_TEXT)
    weights_licence: str | None = field(default=None, metadata=_TEXT)
    weights_revision: str | None = field(default=None, metadata=_TEXT)
    conventions: Mapping[str, Any] | None = field(default=None, metadata=_MAPPING)
    chip: Mapping[str, Any] | None = field(default=None, metadata=_MAPPING)
    face_detector: str | None = field(default=None, metadata=_TEXT)
    face_detector_options: Mapping[str, Any] | None = field(default=None, metadata=_MAPPING)
    options: Mapping[str, Any] | None = field(default=None, metadata=_MAPPING)
    versions: Mapping[str, Any] | None = field(default=None, metadata=_MAPPING)
    created: str | None = field(default=None, metadata=_TEXT)
    log: tuple[Operation, ...] = field(default=(), metadata={"type": "log"})

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            kind = item.metadata["type"]
            if kind == "log":
                log = tuple(value)
                if not all(isinstance(record, Operation) for record in log):
                    raise TypeError("`log` must hold Operation records; use with_log to add one.")
                object.__setattr__(self, item.name, log)
            elif value is None:
                continue
            elif kind == "mapping":
                if not isinstance(value, Mapping):
                    raise TypeError(f"`{item.name}` must be a mapping, but got {value!r:.80}.")
                object.__setattr__(self, item.name, FrozenMapping(value))
            elif not isinstance(value, str):
                raise TypeError(f"`{item.name}` must be text, but got {value!r:.80}.")

    # ------------------------------------------------------------------ new objects
    def with_log(self, name: str, /, **arguments: Any) -> FexInfo:
        """Copy with one more operation in the log, stamped with the time now.

        >>> str(FexInfo().with_log("smooth", window=5).log[0])
        'smooth(window=5)'
        """
        return replace(self, log=(*self.log, Operation(name, FrozenMapping(arguments), utc_now())))

    @classmethod
    def merge(cls, infos: Iterable[FexInfo]) -> FexInfo:
        """Keep what all agree on; a field on which they disagree becomes None.

        The merged log holds the operations that every table went through first, in order (equal
        name and arguments; a time that differs becomes None). What came after in only some of them
        is not true of the whole table; it is kept as one last record that names the operations.

        >>> a = FexInfo(weights="open").with_log("label", on="input").with_log("smooth", window=5)
        >>> b = FexInfo(weights="open").with_log("label", on="input")
        >>> [str(record) for record in FexInfo.merge([a, b]).log]
        ["label(on='input')", "in part of the table(operations=['smooth'])"]
        """
        given = list(infos)
        if not given:
            return cls()
        first = given[0]
        if all(info is first for info in given):
            return first
        values: dict[str, Any] = {}
        for item in fields(cls):
            if item.name != "log":
                value = getattr(first, item.name)
                same = all(getattr(info, item.name) == value for info in given)
                values[item.name] = value if same else None
        return cls(**values, log=_merge_logs([info.log for info in given]))

    # ------------------------------------------------------------------ JSON
    def to_dict(self) -> dict[str, Any]:
        """Plain dict of JSON values, with its ``version``; fields that are None are left out."""
        out: dict[str, Any] = {"version": INFO_VERSION}
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name == "log":
                out["log"] = [
                    {"name": r.name, "arguments": _thaw(r.arguments), "time": r.time} for r in value
                ]
            elif value is not None:
                out[item.name] = _thaw(value)
        return out

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FexInfo:
        """Inverse of :meth:`to_dict`.

        Unknown fields are ignored, so that a later release may add some within a version.

        Raises
        ------
        FexError
            If the version is newer than this release, or a field has the wrong type.
        """
        if not isinstance(data, Mapping):
            raise FexError(f"Fex metadata must be a JSON object, but got {data!r:.80}.")
        version = data.get("version", INFO_VERSION)
        if not isinstance(version, int) or version > INFO_VERSION:
            raise FexError(
                f"Fex metadata has version {version!r}, but this release reads up to "
                f"{INFO_VERSION}; update facemt-analysis to read it."
            )
        try:
            known = {f.name: data[f.name] for f in fields(cls) if f.name in data}
            known["log"] = tuple(
                Operation(str(r["name"]), FrozenMapping(r.get("arguments") or {}), r.get("time"))
                for r in known.get("log", ())
            )
            return cls(**known)
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise FexError(f"Fex metadata is not as this release writes it: {error}") from error

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> FexInfo:
        """Inverse of :meth:`to_json`; FexError for anything else.

        >>> info = FexInfo(weights="open", chip={"size": 256})
        >>> FexInfo.from_json(info.to_json()) == info
        True
        """
        try:
            data = json.loads(text)
        except ValueError as error:
            raise FexError(f"Fex metadata is not JSON: {error}") from error
        return cls.from_dict(data)

    # ------------------------------------------------------------------ for people
    def headline(self) -> str:
        """Say in one line where the numbers come from; empty if nothing is known.

        >>> FexInfo(tool="OpenFace", weights="open", weights_licence="MIT").headline()
        'OpenFace · weights open (MIT)'
        """
        parts = [self.tool] if self.tool else []
        if self.weights:
            licence = f" ({self.weights_licence})" if self.weights_licence else ""
            parts.append(f"weights {self.weights}{licence}")
        if self.face_detector:
            parts.append(f"faces by {self.face_detector}")
        if self.log:
            names = list(dict.fromkeys(record.name for record in self.log))
            parts.append(f"then {', '.join(names)}")
        return " · ".join(parts)

    def _lines(self) -> list[tuple[str, str]]:
        lines = []
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name == "log":
                lines += [("log", f"{r} {r.time or ''}".rstrip()) for r in value]
            elif isinstance(value, FrozenMapping):
                lines.append((item.name, ", ".join(f"{k}={_thaw(v)}" for k, v in value.items())))
            elif value is not None:
                lines.append((item.name, value))
        return lines

    def __repr__(self) -> str:
        lines = self._lines()
        if not lines:
            return "FexInfo()"
        width = max(len(name) for name, _ in lines)
        return "\n".join(["FexInfo", *(f"  {name:<{width}}  {text}" for name, text in lines)])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
            f"<td style='text-align:left'>{html.escape(text)}</td></tr>"
            for name, text in self._lines() or [("FexInfo", "nothing is known")]
        )
        return f"<table>{rows}</table>"


def _merge_logs(logs: list[tuple[Operation, ...]]) -> tuple[Operation, ...]:
    common: list[Operation] = []
    for records in zip(*logs, strict=False):
        first = records[0]
        if any((r.name, r.arguments) != (first.name, first.arguments) for r in records):
            break
        time = first.time if all(r.time == first.time for r in records) else None
        common.append(Operation(first.name, first.arguments, time))
    partial: dict[str, None] = {}  # a set that keeps order
    for log in logs:
        for record in log[len(common) :]:
            if record.name == PARTLY:
                partial.update(dict.fromkeys(record.arguments["operations"]))
            else:
                partial[record.name] = None
    if partial:
        common.append(Operation(PARTLY, FrozenMapping({"operations": sorted(partial)})))
    return tuple(common)
