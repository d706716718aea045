"""Building a Fex from arrays, fast."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facemt_analysis import schema
from facemt_analysis.errors import FexError

if TYPE_CHECKING:
    from facemt_analysis.fex.info import FexInfo
    from facemt_analysis.fex.table import Fex

__all__ = ["axis_major", "block_columns", "choose_groups", "fex_from_blocks"]


def axis_major(points: NDArray[Any]) -> NDArray[Any]:
    """Lay points (…, k, axes) out as columns (…, k * axes): x of all points, then y, ….

    >>> axis_major(np.array([[[1, 2], [3, 4]]])).tolist()
    [[1, 3, 2, 4]]
    """
    return np.swapaxes(points, -1, -2).reshape(*points.shape[:-2], -1)


def choose_groups(
    groups: Iterable[str] | str | None, *, default: Sequence[str], name: str = "groups"
) -> tuple[str, ...]:
    """Validate a choice of feature groups; None means `default`.

    Parameters
    ----------
    groups
        Names of feature groups, or one of them.
    default
        What None stands for.
    name
        The parameter a message speaks of.

    Raises
    ------
    FexError
        When a name is not one of `schema.FEATURE_GROUPS`, or there is none.

    Examples
    --------
    >>> choose_groups(["va", "aus"], default=())
    ('aus', 'va')
    """
    if groups is None:
        return tuple(default)
    wanted = [groups] if isinstance(groups, str) else list(groups)
    unknown = [g for g in wanted if g not in schema.FEATURE_GROUPS]
    if unknown or not wanted:
        raise FexError(
            f"`{name}` must name some of {', '.join(schema.FEATURE_GROUPS)}, "
            f"but got {', '.join(map(str, unknown)) or 'none'}."
        )
    return tuple(g for g in schema.FEATURE_GROUPS if g in wanted)


def block_columns(group: str, width: int) -> tuple[str, ...]:
    """Columns of a block of that many features: the canonical ones, or a known longer set.

    >>> block_columns("emotions", 8)[-1]
    'Contempt'
    """
    if group not in schema.GROUPS:
        raise FexError(f"Unknown group {group!r}: expected one of {', '.join(schema.GROUPS)}.")
    known: list[tuple[str, ...]] = [schema.GROUPS[group].columns]
    if group == "aus":
        known = [schema.au_columns(20), schema.au_columns(24)]
    elif group == "emotions":
        known = [schema.emotion_columns(7), schema.emotion_columns(8)]
    for columns in known:
        if len(columns) == width:
            return columns
    widths = " or ".join(str(len(columns)) for columns in known)
    raise FexError(f"A block of {group!r} must have {widths} columns, but got {width}.")


def fex_from_blocks(
    blocks: Mapping[str, NDArray[Any]],
    keys: pd.DataFrame,
    info: FexInfo | None = None,
) -> Fex:
    """Build a Fex from one array per feature group.

    All features become one float32 block of memory, so that 2,183 columns are made, sliced and
    concatenated as fast as one.

    Parameters
    ----------
    blocks
        Group name → array of shape (n, k) with the columns in canonical order (20 or 24 action
        units, 7 or 8 emotions). ``landmarks`` and ``meshes`` may also come as points,
        shape (n, points, axes).
    keys
        n rows with the columns ``input``, ``frame``, ``time``, ``track`` (any of them may be
        missing, and labels may stand beside them). Its index becomes the index of the result.
    info
        Metadata of the table.

    Returns
    -------
    Fex
        Keys, features in schema order, then labels.

    Raises
    ------
    FexError
        If a group is unknown, or a block has the wrong shape.

    Examples
    --------
    >>> keys = pd.DataFrame({"input": ["a", "a"], "frame": [0, 1]})
    >>> fex = fex_from_blocks({"va": np.zeros((2, 2))}, keys)
    >>> list(fex.columns), str(fex["valence"].dtype)
    (['input', 'frame', 'valence', 'arousal'], 'float32')
    """
    from facemt_analysis.fex.table import Fex

    if "keys" in blocks:
        raise FexError("The keys are not a block: give them as the frame `keys`.")
    n = len(keys)
    parts: list[tuple[tuple[str, ...], NDArray[Any]]] = []
    for group in (g for g in schema.GROUPS if g in blocks):
        block = np.asarray(blocks[group])
        if block.ndim == 3:  # points: the columns are axis-major, x of all points first
            block = axis_major(block)
        if block.ndim != 2 or len(block) != n:
            raise FexError(
                f"A block of {group!r} must have shape ({n}, columns), one row per row of `keys`, "
                f"but got {np.shape(blocks[group])}."
            )
        parts.append((block_columns(group, block.shape[1]), block))
    unknown = [g for g in blocks if g not in schema.GROUPS]
    if unknown:
        block_columns(unknown[0], 0)  # raises
    columns = [column for names, _ in parts for column in names]
    # pandas keeps a block as (columns, rows): filled in that order, every column is contiguous
    memory = np.empty((len(columns), n), np.float32)
    start = 0
    for names, block in parts:
        memory[start : start + len(names)] = block.T
        start += len(names)
    features = pd.DataFrame(memory.T, index=keys.index, columns=columns, copy=False)
    first = [c for c in keys.columns if schema.group_of(c) == "keys"]
    labels = [c for c in keys.columns if c not in first]
    clash = [c for c in labels if c in features.columns]
    if clash:
        raise FexError(f"`keys` and `blocks` both have the column {clash[0]!r}; give it once.")
    pieces = [pd.DataFrame(keys)[schema.canonical_order(first)], features]
    if labels:
        pieces.append(pd.DataFrame(keys)[labels])
    return Fex(pd.concat(pieces, axis=1), info=info)
