"""Rows of a model: recordings (or frames) with their cells, covariates and people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import linalg

from facemt_analysis import schema
from facemt_analysis.checks import check_labels, pick_columns
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.stats.aggregation import (
    UNIT_COLUMNS,
    Aggregation,
    complete_rows,
    resolve_features,
    unit_table,
)
from facemt_analysis.stats.contrasts import Contrast
from facemt_analysis.stats.design import Factor, find_factors

__all__ = ["Level", "ModelRows", "model_rows"]

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

Level = Literal["recordings", "frames"]
"""What the rows of a model are."""


@dataclass(frozen=True, eq=False)
class ModelRows:
    """What a model is fitted to; all arrays have one entry per row.

    Parameters
    ----------
    values
        The feature.
    subject
        Number of the person.
    outer, inner
        Number of the combination of levels between and within subjects.
    covariates
        Shape (n, c), centred.
    item
        Number of the item (stimulus), or None.
    unit
        Number of the recording; frames of one follow each other in time.
    factors
        Between factors, then within factors.
    covariate_names
        Of the c columns.
    """

    values: Floats
    subject: Codes
    outer: Codes
    inner: Codes
    covariates: Floats
    item: Codes | None
    unit: Codes
    factors: tuple[Factor, ...]
    covariate_names: tuple[str, ...]

    @cached_property
    def between(self) -> tuple[Factor, ...]:
        """Factors between subjects."""
        return tuple(f for f in self.factors if not f.within)

    @cached_property
    def within(self) -> tuple[Factor, ...]:
        """Factors within subjects."""
        return tuple(f for f in self.factors if f.within)

    @property
    def n_outer(self) -> int:
        """Combinations of levels between subjects."""
        return _size(self.between)

    @property
    def n_inner(self) -> int:
        """Combinations of levels within subjects."""
        return _size(self.within)

    @cached_property
    def n_subjects(self) -> int:
        """People."""
        return len(np.unique(self.subject))

    @cached_property
    def design(self) -> Floats:
        """Fixed effects (n, cells + c): one column per cell, so that coefficients are means."""
        cell = self.outer * self.n_inner + self.inner
        return np.hstack([np.eye(self.n_outer * self.n_inner)[cell], self.covariates])

    @property
    def design_names(self) -> list[str]:
        """Names of the columns of the design."""
        cells = product(*(f.names for f in self.factors))
        return [*(":".join(levels) or "mean" for levels in cells), *self.covariate_names]

    @cached_property
    def inner_contrasts(self) -> Floats:
        """Contrasts between cells within subjects, and covariates that vary within: (n, q)."""
        varies = [
            float(np.max(_ranges(self.covariates[:, j], self.subject))) > 1e-12
            for j in range(self.covariates.shape[1])
        ]
        columns = [self.covariates[:, varies]]
        if self.n_inner > 1:
            columns.insert(0, linalg.helmert(self.n_inner).T[self.inner])
        return np.hstack(columns)

    def weights(self, contrast: Contrast) -> Floats:
        """Coefficients of a contrast, shape (cells + c,)."""
        cells = np.kron(contrast.over(self.between), contrast.over(self.within))
        return np.concatenate([cells, np.zeros(self.covariates.shape[1])])

    def pick(self, keep: NDArray[np.bool_]) -> ModelRows:
        """Keep some rows; people are numbered anew."""
        return ModelRows(
            self.values[keep], np.unique(self.subject[keep], return_inverse=True)[1],
            self.outer[keep], self.inner[keep], self.covariates[keep],
            None if self.item is None else self.item[keep], self.unit[keep], self.factors,
            self.covariate_names,
        )  # fmt: skip

    def with_values(self, values: Floats) -> ModelRows:
        """Put other values into the same rows."""
        return ModelRows(
            values, self.subject, self.outer, self.inner, self.covariates, self.item, self.unit,
            self.factors, self.covariate_names,
        )  # fmt: skip


def model_rows(
    frame: pd.DataFrame,
    features: str | Iterable[str] | None,
    *,
    condition: str | Sequence[str] | None,
    subject: str,
    between: str | Sequence[str] | None,
    covariates: str | Sequence[str],
    item: str | None,
    rows: Level,
    how: Aggregation,
    unit: str | Sequence[str] | None,
    min_frames: int,
    above: float | None = None,
) -> dict[str, ModelRows]:
    """Make the rows of every feature; :func:`facemt_analysis.stats.mixed` documents the arguments.

    With `above`, the values are shares of frames from that score on.
    """
    plain = pd.DataFrame(frame)
    extra = check_labels(plain, covariates, name="covariates")
    items = check_labels(plain, item, name="item")
    names = [*check_labels(plain, between, name="between"),
             *check_labels(plain, condition, name="condition")]  # fmt: skip
    if not names and not extra:
        raise OptionError("Say what to model: `condition`, `between` or `covariates`.")
    check_labels(plain, subject, name="subject")
    for name in extra:
        if not pd.api.types.is_numeric_dtype(plain[name]):
            raise FexError(f"`covariates`: {name!r} is not numeric; labels go into `condition`.")
    columns = resolve_features(plain, features)
    needed = [*columns, *schema.KEYS, *UNIT_COLUMNS]
    needed += [unit] if isinstance(unit, str) else list(unit or ())
    plain = complete_rows(plain, [subject, *names, *extra, *items], needed)
    factors: tuple[Factor, ...] = ()
    if names:
        factors = find_factors(plain, subject=subject, condition=condition, between=between)
    if above is not None:
        plain = plain.assign(
            **{c: (plain[c] >= above).astype(float).where(plain[c].notna()) for c in columns}
        )
    by = [f.name for f in factors] + items
    keys, values = _table(
        plain, [*columns, *(c for c in extra if c not in columns)], subject, by, rows, how, unit,
        min_frames,
    )  # fmt: skip
    covariate = values[extra].to_numpy(np.float64)
    whole = ModelRows(
        np.zeros(len(keys)), pd.factorize(keys[subject])[0].astype(np.intp),
        _combine(keys, [f for f in factors if not f.within]),
        _combine(keys, [f for f in factors if f.within]),
        covariate - covariate.mean(axis=0) if extra else np.empty((len(keys), 0)),
        pd.factorize(keys[items[0]])[0].astype(np.intp) if items else None,
        _units(keys, unit), factors, tuple(extra),
    )  # fmt: skip
    return {c: whole.with_values(values[c].to_numpy(np.float64)) for c in columns}


def _table(
    plain: pd.DataFrame, columns: list[str], subject: str, by: list[str], rows: Level,
    how: Aggregation, unit: str | Sequence[str] | None, min_frames: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    if rows == "frames":
        pick_columns(plain, columns)
        return plain.reset_index(drop=True), plain[columns].reset_index(drop=True)
    made = unit_table(
        plain, columns, subject=subject, by=by, how=how, unit=unit, min_frames=min_frames
    )
    return made.keys, made.values


def _combine(keys: pd.DataFrame, factors: Sequence[Factor]) -> Codes:
    code = np.zeros(len(keys), dtype=np.intp)
    for factor in factors:
        number = {level: i for i, level in enumerate(factor.levels)}
        code = code * len(factor.levels) + keys[factor.name].map(number).to_numpy(np.intp)
    return code


def _units(keys: pd.DataFrame, unit: str | Sequence[str] | None) -> Codes:
    wanted: Any = UNIT_COLUMNS if unit is None else [unit] if isinstance(unit, str) else unit
    columns = [c for c in wanted if c in keys.columns]
    if not columns:
        return np.zeros(len(keys), dtype=np.intp)
    return keys.groupby(columns, sort=False, dropna=False).ngroup().to_numpy().astype(np.intp)


def _ranges(values: Floats, group: Codes) -> Floats:
    by = pd.Series(values).groupby(group)
    return np.asarray(by.max() - by.min(), dtype=np.float64)


def _size(factors: Sequence[Factor]) -> int:
    return int(np.prod([len(f.levels) for f in factors], dtype=np.int64))
