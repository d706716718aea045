"""``scan.au``, ``scan.gaze`` …: the methods of ``fex.au`` that can be done recording by recording.

A method is here if it gives one table in which every row belongs to one recording. What gives a
value for each row of the table (``fex.au.pspi()``), arrays, figures or another Fex is not, nor are
statistics, which need all recordings at once.
"""

from __future__ import annotations

import functools
import html
import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd

from facemt_analysis import schema
from facemt_analysis.checks import check_labels, near_names
from facemt_analysis.errors import OptionError
from facemt_analysis.fex import Fex

if TYPE_CHECKING:
    from facemt_analysis.study.scanning import Scan

__all__ = ["READS", "RecordingsView"]

_AU = ("aus",)
_GAZE = ("gazes", "poses")  # the head turns gaze between its own frame and the camera's
_SHAPES = ("blendshapes",)

READS: Mapping[str, Mapping[str, tuple[str, ...] | None]] = MappingProxyType(
    {
        "au": {
            "events": _AU, "summary": _AU, "rates": _AU, "cooccurrence": _AU, "smiles": _AU,
            "expressivity": _AU,
        },
        "emotion": dict.fromkeys(("summary", "bouts", "transitions"), ("emotions",)),
        "affect": dict.fromkeys(("summary", "trajectory"), ("va",)),
        "gaze": dict.fromkeys(("summary", "fixations", "away"), _GAZE),
        "pose": {"motion": ("poses",)},
        "mesh": {"summary": ("meshes",)},
        "blendshape": {
            "summary": _SHAPES, "events": _SHAPES, "asymmetry_summary": _SHAPES,
            "blinks": _SHAPES, "blink_summary": _SHAPES,
        },
        # whether a row is valid, repeated or out of range is told from every feature there is
        "quality": {"report": None, "findings": None, "confounds": ("aus", "poses", "blendshapes")},
        "signal": {"rates": ()},
    }
)  # fmt: skip
"""View → method → column groups it needs, of those that are there; None: all.

Keys and labels are always read, and so are the groups of columns that arguments name."""

_OF_OPTIONS = {"neutral": ("emotions",), "ear": ("meshes", "landmarks")}
"""Values of arguments that call for further groups: ``reference="neutral"``, ``source="ear"``."""

_PEOPLE = ("by", "person")
"""Arguments that put rows together."""


@dataclass(frozen=True)
class _Call:
    """A method of a view with its arguments, to be called on a table elsewhere."""

    view: str
    method: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def __call__(self, fex: Fex) -> Any:
        return getattr(getattr(fex, self.view), self.method)(*self.args, **self.kwargs)


class RecordingsView:
    """Measures of all recordings of a study: a view of a :class:`Scan`, with methods of a Fex's.

    Every method takes the arguments it takes on a Fex, reads one recording after the other, only
    the column groups it needs, and gives what it gives on the whole table, in one DataFrame.

    Parameters
    ----------
    scan
        The study.
    name
        Name of the view.
    """

    def __init__(self, scan: Scan, name: str) -> None:
        self._scan = scan
        self._name = name

    def __getattr__(self, name: str) -> Callable[..., pd.DataFrame]:
        if name.startswith("_"):
            raise AttributeError(name)
        offered = READS[self._name]
        if name not in offered:
            raise AttributeError(
                f"scan.{self._name} has no {name!r}.{near_names(name, offered)} It has "
                f"{', '.join(offered)}: what gives one table per recording. For anything else that "
                "can be done recording by recording use scan.map(function, groups=...), else "
                f"scan.read(groups=...).{self._name}, in memory."
            )
        method = getattr(_accessor(self._name), name)

        @functools.wraps(method)
        def measure(*args: Any, **kwargs: Any) -> pd.DataFrame:
            # what can be read once only would be used up by the first recording
            args = tuple(list(a) if isinstance(a, Iterator) else a for a in args)
            kwargs = {k: list(a) if isinstance(a, Iterator) else a for k, a in kwargs.items()}
            given = inspect.signature(method).bind(None, *args, **kwargs).arguments
            self._check(given)
            call = _Call(self._name, name, args, kwargs)
            return self._scan._each(call, self._groups(name, given))

        own = inspect.signature(method)
        measure.__signature__ = own.replace(  # type: ignore[attr-defined]
            parameters=list(own.parameters.values())[1:]
        )
        return measure

    def _check(self, given: Mapping[str, Any]) -> None:
        """Find wrong columns before anything is read, and groups across recordings."""
        columns = pd.DataFrame(columns=list(self._scan.columns))
        for argument in (*_PEOPLE, "labels"):
            wanted = given.get(argument)
            if wanted is None or wanted == ():
                continue
            names = check_labels(columns, wanted, name=argument)
            if argument in _PEOPLE and "input" not in names:
                raise OptionError(
                    f"`{argument}` must contain 'input', since recordings are measured one by one, "
                    f"but got {wanted!r}: use {['input', *names]!r} and average, or "
                    f"scan.read(groups=...).{self._name}, in memory."
                )

    def _groups(self, method: str, given: Mapping[str, Any]) -> tuple[str, ...] | None:
        """Column groups that this call needs, of those that the scan reads."""
        needed = READS[self._name][method]
        if needed is None:
            return None
        named = [group for text in _texts(given) for group in _groups_of(text)]
        return tuple(g for g in self._scan.groups if g in {*needed, *named})

    def __dir__(self) -> list[str]:
        return [*READS[self._name]]

    def __repr__(self) -> str:
        lines = [f"  .{name}" for name in READS[self._name]]
        return "\n".join([self._title(), *lines])

    def _repr_html_(self) -> str:
        methods = ", ".join(f"<code>.{name}()</code>" for name in READS[self._name])
        return f"<div>{html.escape(self._title())}<br>{methods}</div>"

    def _title(self) -> str:
        n = len(self._scan)
        return f"{_accessor(self._name).__name__} of {n:,} recordings, one after the other"


def group_needed(view: str) -> str | None:
    """Column group without which a view makes no sense."""
    group: str | None = _accessor(view).group
    return group


def _accessor(view: str) -> Any:
    module = importlib.import_module(f"facemt_analysis.accessors.{view}")
    return getattr(module, module.__all__[-1])


def _texts(given: Mapping[str, Any]) -> Iterator[str]:
    for value in given.values():
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            yield from _texts(value)
            yield from map(str, value)
        elif isinstance(value, (list, tuple, set)):
            yield from (one for one in value if isinstance(one, str))


def _groups_of(text: str) -> tuple[str, ...]:
    group = schema.group_of(text)
    return _OF_OPTIONS.get(text, ()) if group is None else (group,)
