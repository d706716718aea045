"""Contrasts between named levels, in the words of the user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemt_analysis.checks import near_names
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.stats.design import Factor

__all__ = ["Contrast", "ContrastLike", "resolve_contrasts"]

Floats = NDArray[np.float64]

ContrastLike = (
    str | tuple[object, object] | Sequence[Any] | Mapping[Any, float] | Mapping[str, Any] | None
)
"""What ``contrast=`` takes; see :func:`resolve_contrasts`."""

_TIMES = " * "


@dataclass(frozen=True, eq=False)
class Contrast:
    """A difference between levels of one factor or more; means over the other factors.

    Parameters
    ----------
    name
        E.g. ``"funny - neutral"``.
    weights
        Factor → weight of each of its levels, sum 0.
    """

    name: str
    weights: Mapping[str, Floats]

    def over(self, factors: Sequence[Factor]) -> Floats:
        """Weights of all combinations of the levels of these factors, the last fastest.

        Factors that are not in the contrast are averaged over, each level with the same weight.
        """
        out: Floats = np.ones(1)
        for factor in factors:
            n = len(factor.levels)
            weights = self.weights.get(factor.name, np.full(n, 1 / n))
            out = np.asarray(np.kron(out, weights), dtype=np.float64)
        return out

    def involves(self, factors: Sequence[Factor]) -> bool:
        """Whether it compares levels of one of these factors."""
        return any(f.name in self.weights for f in factors)


def resolve_contrasts(contrast: ContrastLike, factors: Sequence[Factor]) -> list[Contrast]:
    """Turn what the user wrote into weights.

    Parameters
    ----------
    contrast
        - None or ``"pairwise"``: all pairs of levels of every factor, the later minus the earlier,
          and, of two factors, all interactions of pairs, ``"(b - a) * (d - c)"``;
        - ``"funny - neutral"`` or ``("funny", "neutral")``: the first minus the second;
        - ``"neutral"``, the name of a level: every other level of its factor minus this one;
        - ``"(patient - control) * (funny - neutral)"``: a difference of differences;
        - ``{"funny": 1, "sad": -0.5, "neutral": -0.5}``: weights with sum 0;
        - ``{"my name": any of these}``: with a name of your own;
        - a list of these.
    factors
        The factors, in which the levels are looked up.

    Returns
    -------
    list of Contrast

    Raises
    ------
    FexError
        If a level is not there, or two factors have a level of that name.
    OptionError
        If it cannot be read, or weights do not sum to 0.

    Examples
    --------
    >>> film = Factor("film", ("neutral", "funny", "sad"), within=True)
    >>> [c.name for c in resolve_contrasts("neutral", [film])]
    ['funny - neutral', 'sad - neutral']
    >>> resolve_contrasts({"funny": 1, "sad": -0.5, "neutral": -0.5}, [film])[0].over([film])
    array([-0.5,  1. , -0.5])
    """
    if contrast is None or (isinstance(contrast, str) and contrast == "pairwise"):
        found = _pairwise(factors)
    elif isinstance(contrast, (list, tuple)) and not _is_pair(contrast, factors):
        found = [c for item in contrast for c in resolve_contrasts(item, factors)]
    else:
        found = _one(contrast, factors)
    if not found:
        raise OptionError("`contrast` must name at least one contrast, but got none.")
    names = [c.name for c in found]
    if twice := [n for n in names if names.count(n) > 1]:
        raise OptionError(f"`contrast`: {twice[0]!r} is there twice.")
    return found


def _pairwise(factors: Sequence[Factor]) -> list[Contrast]:
    single = {
        f.name: [_pair(f, b, a) for a, b in combinations(range(len(f.levels)), 2)] for f in factors
    }
    found = [c for f in factors for c in single[f.name]]
    for f, g in combinations(factors, 2):
        found += [_product(a, b) for a, b in product(single[f.name], single[g.name])]
    return found


def _pair(factor: Factor, plus: int, minus: int) -> Contrast:
    weights = np.zeros(len(factor.levels))
    weights[plus], weights[minus] = 1.0, -1.0
    return Contrast(f"{factor.names[plus]} - {factor.names[minus]}", {factor.name: weights})


def _product(a: Contrast, b: Contrast) -> Contrast:
    if set(a.weights) & set(b.weights):
        raise OptionError(f"`contrast`: ({a.name}) and ({b.name}) are of the same factor.")
    return Contrast(f"({a.name}){_TIMES}({b.name})", {**a.weights, **b.weights})


def _is_pair(contrast: Sequence[Any], factors: Sequence[Factor]) -> bool:
    """Tell a tuple of two levels, a difference, from a list."""
    if not isinstance(contrast, tuple) or len(contrast) != 2:
        return False
    known = {name for f in factors for name in f.names}
    return all(not isinstance(c, (tuple, list, Mapping)) for c in contrast) and (
        any(str(c) in known for c in contrast) or not any(" - " in str(c) for c in contrast)
    )


def _one(contrast: Any, factors: Sequence[Factor]) -> list[Contrast]:
    if isinstance(contrast, Contrast):
        return [contrast]
    if isinstance(contrast, Mapping):
        return _mapping(contrast, factors)
    if isinstance(contrast, tuple):
        return [_difference(str(contrast[0]), str(contrast[1]), factors)]
    text = str(contrast).strip()
    known = {name for f in factors for name in f.names}
    if text in known:
        factor, minus = _find(text, factors)
        return [_pair(factor, i, minus) for i in range(len(factor.levels)) if i != minus]
    parts = text.split(")" + _TIMES + "(")
    if len(parts) > 1 and text.startswith("(") and text.endswith(")"):
        made = [_split(part.strip("()"), factors) for part in parts]
        out = made[0]
        for other in made[1:]:
            out = _product(out, other)
        return [Contrast(text, out.weights)]
    return [_split(text, factors)]


def _split(text: str, factors: Sequence[Factor]) -> Contrast:
    """Read "a - b"; names of levels may have a hyphen of their own."""
    pieces = text.split(" - ")
    known = {name for f in factors for name in f.names}
    for i in range(1, len(pieces)):
        a, b = " - ".join(pieces[:i]).strip(), " - ".join(pieces[i:]).strip()
        if len(pieces) == 2 or (a in known and b in known):
            return _difference(a, b, factors)
    if len(pieces) == 1:
        _find(text, factors)  # says what there is
    raise OptionError(f"`contrast`: {text!r} cannot be read; write e.g. 'funny - neutral'.")


def _difference(plus: str, minus: str, factors: Sequence[Factor]) -> Contrast:
    (f, i), (g, j) = _find(plus, factors), _find(minus, factors)
    if f.name != g.name:
        raise OptionError(
            f"`contrast`: {plus!r} is a level of {f.name!r}, but {minus!r} one of {g.name!r}."
        )
    if i == j:
        raise OptionError(f"`contrast`: {plus!r} minus itself.")
    return _pair(f, i, j)


def _mapping(contrast: Mapping[Any, Any], factors: Sequence[Factor]) -> list[Contrast]:
    if all(isinstance(v, (int, float, np.number)) for v in contrast.values()) and contrast:
        return [_weighted(contrast, factors)]
    found = []
    for name, item in contrast.items():
        inner = resolve_contrasts(item, factors)
        if len(inner) != 1:
            raise OptionError(f"`contrast`: {name!r} must stand for one contrast, not {len(inner)}")
        found.append(Contrast(str(name), inner[0].weights))
    return found


def _weighted(weights: Mapping[Any, Any], factors: Sequence[Factor]) -> Contrast:
    places = [(_find(str(level), factors), float(w)) for level, w in weights.items()]
    factor = places[0][0][0]
    out = np.zeros(len(factor.levels))
    for (f, i), weight in places:
        if f.name != factor.name:
            raise OptionError(
                f"`contrast`: weights belong to levels of one factor, but these are of "
                f"{factor.name!r} and {f.name!r}."
            )
        out[i] = weight
    if abs(out.sum()) > 1e-9 * np.abs(out).max(initial=1.0) or not out.any():
        raise OptionError(f"`contrast`: weights must sum to 0 and not all be 0, but got {weights}.")
    terms = [f"{w:+g} {name}" for w, name in zip(out, factor.names, strict=True) if w]
    return Contrast(" ".join(terms), {factor.name: out})


def _find(level: str, factors: Sequence[Factor]) -> tuple[Factor, int]:
    found = [(f, f.names.index(level)) for f in factors if level in f.names]
    if len(found) == 1:
        return found[0]
    if found:
        raise FexError(
            f"`contrast`: {level!r} is a level of {found[0][0].name!r} and of "
            f"{found[1][0].name!r}; rename one of them."
        )
    known = [name for f in factors for name in f.names]
    there = "; ".join(f"{f.name}: {', '.join(f.names)}" for f in factors)
    raise FexError(
        f"`contrast`: nobody has the level {level!r}.{near_names(level, known)} There is: {there}."
    )
