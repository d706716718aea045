"""The benchmarks there are. A new one is a file in ``datasets/`` and its class here."""

from __future__ import annotations

import typing
from dataclasses import fields
from typing import Any

import pandas as pd

from facemt_analysis.benchmark.base import Benchmark
from facemt_analysis.benchmark.datasets.afewva import AFEWVA
from facemt_analysis.benchmark.datasets.affectnet import AffectNet
from facemt_analysis.benchmark.datasets.affwild2 import AffWild2
from facemt_analysis.benchmark.datasets.aflw2000 import AFLW2000
from facemt_analysis.benchmark.datasets.biwi import BIWI
from facemt_analysis.benchmark.datasets.bp4d import BP4D
from facemt_analysis.benchmark.datasets.ckplus import CKPlus
from facemt_analysis.benchmark.datasets.columbia import ColumbiaGaze
from facemt_analysis.benchmark.datasets.disfa import DISFA
from facemt_analysis.benchmark.datasets.disfaplus import DISFAPlus
from facemt_analysis.benchmark.datasets.eyediap import EYEDIAP
from facemt_analysis.benchmark.datasets.gaze360 import Gaze360
from facemt_analysis.benchmark.datasets.mpiigaze import MPIIGaze
from facemt_analysis.benchmark.datasets.rafdb import RAFDB
from facemt_analysis.benchmark.datasets.rendered import Rendered
from facemt_analysis.benchmark.datasets.w300 import W300
from facemt_analysis.benchmark.datasets.wflw import WFLW
from facemt_analysis.checks import near_names
from facemt_analysis.errors import OptionError

__all__ = ["BENCHMARKS", "find_benchmark", "list_benchmarks"]

BENCHMARKS: dict[str, type[Benchmark]] = {
    kind.name: kind
    for kind in (
        DISFAPlus, RAFDB, AffectNet, AffWild2, MPIIGaze, Gaze360,  # the model card's
        DISFA, BP4D, CKPlus, AFEWVA, ColumbiaGaze, EYEDIAP, W300, WFLW, AFLW2000, BIWI,
        Rendered,
    )
}  # fmt: skip
"""Name → class."""


def find_benchmark(name: str, **options: Any) -> Benchmark:
    """Make a benchmark by its name, with options of its protocol.

    Parameters
    ----------
    name
        One of :data:`BENCHMARKS`.
    **options
        Values, or their text as it comes from a command line.

    Raises
    ------
    OptionError
        If there is no such benchmark, or it has no such option.

    Examples
    --------
    >>> find_benchmark("disfaplus", aus="8").task.aus[:3]
    ('AU01', 'AU02', 'AU04')
    """
    if name not in BENCHMARKS:
        raise OptionError(
            f"There is no benchmark {name!r}.{near_names(name, BENCHMARKS)} "
            f"There is: {', '.join(BENCHMARKS)}."
        )
    kind = BENCHMARKS[name]
    types = typing.get_type_hints(kind)
    known = [item.name for item in fields(kind)]
    for option in options:
        if option not in known:
            raise OptionError(
                f"{name} has no option {option!r}.{near_names(option, known)} "
                f"It has: {', '.join(known)}."
            )
    return kind(**{key: _typed(key, value, types[key]) for key, value in options.items()})


def list_benchmarks() -> pd.DataFrame:
    """List what can be run.

    Returns
    -------
    DataFrame
        One row per benchmark: ``name title options licence citation``.
    """
    rows = [
        (kind.name, kind.title, ", ".join(f.name for f in fields(kind)), kind.licence,
         kind.citation)
        for kind in BENCHMARKS.values()
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["name", "title", "options", "licence", "citation"])


def _typed(name: str, value: Any, kind: Any) -> Any:
    """Turn the text of a command line into what the option holds."""
    if not isinstance(value, str) or kind is str or typing.get_origin(kind) is typing.Literal:
        choices = typing.get_args(kind)
        numbers = {str(choice): choice for choice in choices}
        if choices and value not in choices and str(value) not in numbers:
            listed = ", ".join(map(str, choices))
            raise OptionError(f"`{name}` must be one of {listed}, but got {value!r}.")
        return numbers.get(str(value), value) if choices else value
    try:
        if kind is bool:
            return {"true": True, "yes": True, "1": True, "false": False, "no": False,
                    "0": False}[value.lower()]  # fmt: skip
        return kind(value)
    except (KeyError, ValueError) as error:
        raise OptionError(f"`{name}` must be a {kind.__name__}, but got {value!r}.") from error
