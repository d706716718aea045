"""Results of statistics: estimates with their intervals, and the people behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from facemt_analysis.checks import check_labels, check_number, near_names
from facemt_analysis.errors import FexError
from facemt_analysis.plotting.style import (
    INK,
    TRUTH,
    colour_of,
    figure_of,
    legend_above,
    new_axes,
    new_figure,
    unit_of,
)
from facemt_analysis.stats.words import format_p

__all__ = ["plot_comparison", "plot_estimates"]

Floats = npt.NDArray[np.float64]

_SPREAD = 0.12  # of the points of people, in steps between levels


def plot_comparison(
    table: pd.DataFrame,
    data: pd.DataFrame,
    feature: str | None = None,
    *,
    condition: str,
    subject: str = "subject",
    level: float = 0.95,
    figure: Figure | SubFigure | None = None,
) -> dict[str, Axes]:
    """Draw a comparison: every person, means with intervals, and the contrasts beside them.

    Parameters
    ----------
    table
        What :func:`facemt_analysis.stats.compare` gave.
    data
        What it was made of: one row per person and condition, as
        :func:`facemt_analysis.stats.summarize` gives it.
    feature
        Which one; needed if the table has several.
    condition
        Column of `data` whose levels were compared.
    subject
        Column of `data` that names the person.
    level
        Of the intervals of the means.
    figure
        Empty figure (or part of one) to draw in; default: a new one.

    Returns
    -------
    dict of str to Axes
        ``data``: a point per person, those of one person joined by a line; dots with bars are means
        with t intervals between people. ``contrast``: estimates with the intervals of the table and
        p (corrected where the table has it), in the same unit.

    Raises
    ------
    FexError
        If the feature or a column is not there, or a person is there twice in a condition.

    Examples
    --------
    >>> from facemt_analysis.datasets import load_sample_study
    >>> from facemt_analysis.stats import compare, summarize
    >>> fex = load_sample_study()
    >>> table = compare(fex, "AU12", condition="condition")
    >>> data = summarize(fex, by="condition", features="AU12")
    >>> axes = plot_comparison(table, data, condition="condition")
    >>> axes["data"].get_ylabel(), axes["contrast"].get_ylabel()
    ('AU12 (score)', 'Difference (score)')
    >>> import matplotlib.pyplot as plt
    >>> plt.close(axes["data"].figure)
    """
    feature = _one_feature(table, feature)
    check_labels(data, [condition, subject, feature], name="data")
    twice = data.duplicated([subject, condition]).to_numpy()
    if twice.any():
        who = data.loc[twice, subject].iloc[0]
        raise FexError(
            f"`data`: {who!r} is there several times in a condition; one row per person and "
            "condition is needed: stats.summarize(fex, by=condition)."
        )
    rows = table[(table["feature"] == feature) & table["estimate"].notna()]
    values = data.pivot_table(
        index=subject, columns=condition, values=feature, observed=True, sort=False, dropna=False
    )
    levels = _levels(data[condition])
    values = values.reindex(columns=pd.Index(levels))
    beside = len(rows) == 1  # several contrasts need lines of their own
    if figure is None:
        figure = new_figure((3.4, 2.4 if beside else 2.4 + 0.22 * len(rows)))
    left, right = (
        figure.subplots(1, 2, width_ratios=[1.6 * len(levels), 2.1])
        if beside
        else figure.subplots(2, 1, height_ratios=[5, 1 + 0.6 * len(rows)])
    )
    level = check_number("level", level, 0.0, 1.0, open_low=True, open_high=True)
    _draw_people(left, values.to_numpy(np.float64), level)
    left.set_xticks(range(len(levels)), [str(name) for name in levels])
    unit = unit_of(feature)
    left.set_ylabel(feature + unit)
    left.set_xlim(-0.5, len(levels) - 0.5)
    (_draw_contrast if beside else _draw_contrasts)(right, rows)
    (right.set_ylabel if beside else right.set_xlabel)(f"Difference{unit}")
    return {"data": left, "contrast": right}


def plot_estimates(
    table: pd.DataFrame,
    *,
    alpha: float = 0.05,
    label: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw estimates with their intervals, one line per feature.

    Parameters
    ----------
    table
        Contrasts as every test gives them, or the marginal means of a mixed model: ``feature``,
        ``estimate``, ``ci_low``, ``ci_high``, and ``contrast`` or columns of cells.
    alpha
        Filled points: p (corrected where the table has it) is at most this. Means without p are all
        filled.
    label
        Of the x axis; default: the estimate, with the unit of the features if they have one.
    ax
        Axes to draw on; default: those of a new figure.

    Returns
    -------
    Axes
        Features from top to bottom; each contrast or cell has its colour, named in the legend as
        hollow points are. A line marks 0 where contrasts are drawn. Rows without an estimate (F
        tests) are left out.

    Raises
    ------
    FexError
        If a column is missing, or there is no estimate.

    Examples
    --------
    >>> table = pd.DataFrame({"feature": ["AU12"], "contrast": ["b - a"], "estimate": [0.1],
    ...                       "ci_low": [0.02], "ci_high": [0.18], "p": [0.02]})
    >>> ax = plot_estimates(table)
    >>> ax.get_xlabel(), ax.lines[0].get_xdata().tolist()
    ('Estimate (score)', [0.1])
    >>> import matplotlib.pyplot as plt
    >>> plt.close(ax.figure)
    """
    check_labels(table, ["feature", "estimate", "ci_low", "ci_high"], name="table")
    rows = table[table["estimate"].notna()]
    if rows.empty:
        raise FexError("`table` has no estimate to draw; F tests have none.")
    names = _cell_names(rows)
    features, kinds = list(dict.fromkeys(rows["feature"])), list(dict.fromkeys(names))
    place = rows["feature"].map({f: i for i, f in enumerate(features)}).to_numpy(np.float64)
    p = _p_values(rows)
    # a table without p says nothing about significance
    filled = np.ones(len(rows), np.bool_) if p is None else p <= alpha
    axes = new_axes(ax, size=(3.4, 0.9 + 0.12 * len(features) * (1 + len(kinds))))
    for i, kind in enumerate(kinds):
        own = (names == kind).to_numpy()
        y = place[own] + (i - (len(kinds) - 1) / 2) * 0.7 / len(kinds)
        middle = rows.loc[own, "estimate"].to_numpy(np.float64)
        ends = rows.loc[own, ["ci_low", "ci_high"]].to_numpy(np.float64)
        colour = colour_of(i)
        axes.plot(middle, y, "o", markersize=4, color=colour, fillstyle="none", label=kind)
        axes.plot(middle[filled[own]], y[filled[own]], "o", markersize=4, color=colour)
        axes.hlines(y, ends[:, 0], ends[:, 1], color=colour, linewidth=1.1)
    if p is not None or "contrast" in rows.columns:
        axes.axvline(0, color=TRUTH, linewidth=0.6, zorder=0)
    axes.set_yticks(range(len(features)), features)
    axes.set_ylim(len(features) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    units = {unit_of(f) for f in features}
    axes.set_xlabel(label or "Estimate" + (units.pop() if len(units) == 1 and _raw(rows) else ""))
    style: dict[str, Any] = {"marker": "o", "markersize": 4, "linestyle": "none"}
    dots = [Line2D([], [], color=colour_of(i), label=kind.replace(" - ", " − "), **style)
            for i, kind in enumerate(kinds) if kind]  # fmt: skip
    if not filled.all():
        words = f"p > {f'{alpha:g}'.lstrip('0')}"
        dots.append(Line2D([], [], color=INK, fillstyle="none", label=words, **style))
    if dots:
        wide = axes.get_window_extent().width > 2.0 * figure_of(axes).dpi  # inches
        legend_above(axes, dots, [dot.get_label() for dot in dots], ncols=3 if wide else 1)
    return axes


def _draw_people(axes: Axes, values: Floats, level: float) -> None:
    from scipy.stats import t

    n_people, n_levels = values.shape
    shift = np.linspace(-_SPREAD, _SPREAD, n_people) if n_people > 1 else np.zeros(1)
    x = np.arange(n_levels) + shift[np.argsort(np.argsort(np.nanmean(values, axis=1)))][:, None]
    for own_x, own in zip(x, values, strict=True):
        seen = np.isfinite(own)
        if seen.sum() > 1:
            axes.plot(own_x[seen], own[seen], color=TRUTH, linewidth=0.5, alpha=0.7, gid="person")
    for i in range(n_levels):
        seen = np.isfinite(values[:, i])
        own = values[seen, i]
        axes.plot(x[seen, i], own, "o", markersize=2.6, markeredgewidth=0, color=colour_of(i),
                  alpha=0.75, gid="people")  # fmt: skip
        if len(own) > 1:
            half = t.ppf(0.5 + level / 2, len(own) - 1) * own.std(ddof=1) / np.sqrt(len(own))
            axes.errorbar(i + 0.28, own.mean(), yerr=half, fmt="o", markersize=4.5, color=INK,
                          markerfacecolor=colour_of(i), linewidth=1.1)  # fmt: skip


def _draw_contrast(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw the one contrast, upright like the data beside it."""
    row = rows.iloc[0]
    axes.axhline(0, color=TRUTH, linewidth=0.6, zorder=0)
    axes.vlines(0, row["ci_low"], row["ci_high"], color=INK, linewidth=1.1)
    axes.plot([0], [row["estimate"]], "o", markersize=4.5, color=INK)
    p = _p_values(rows)
    if p is not None:
        axes.set_title(f"p {format_p(float(p[0]))}", size="small")
    axes.set_xticks([0], [str(row["contrast"]).replace(" - ", "\n− ")])
    axes.set_xlim(-1, 1)


def _draw_contrasts(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw several contrasts, one line each."""
    middle = rows["estimate"].to_numpy(np.float64)
    ends = rows[["ci_low", "ci_high"]].to_numpy(np.float64)
    y = np.arange(len(rows))
    axes.axvline(0, color=TRUTH, linewidth=0.6, zorder=0)
    axes.hlines(y, ends[:, 0], ends[:, 1], color=INK, linewidth=1.1)
    axes.plot(middle, y, "o", markersize=4.5, color=INK)
    p = _p_values(rows)
    for i, value in enumerate([] if p is None else p):
        axes.text(1.0, i, f"p {format_p(float(value))}", transform=axes.get_yaxis_transform(),
                  ha="left", va="center", size="small")  # fmt: skip
    axes.set_yticks(y, [str(name).replace(" - ", " − ") for name in rows["contrast"]])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)


def _one_feature(table: pd.DataFrame, feature: str | None) -> str:
    check_labels(table, ["feature", "contrast", "estimate", "ci_low", "ci_high"], name="table")
    there = list(dict.fromkeys(table["feature"]))
    if feature is None and len(there) == 1:
        return str(there[0])
    if feature not in there:
        what = "say which one." if feature is None else f"there is no {feature!r}."
        raise FexError(
            f"`feature`: {what}{'' if feature is None else near_names(feature, there)} The table "
            f"has {', '.join(map(str, there))}."
        )
    return str(feature)


def _levels(labels: pd.Series) -> list[Any]:
    """Levels in the order of categories, else of first rows."""
    if isinstance(labels.dtype, pd.CategoricalDtype):
        return [c for c in labels.cat.categories if (labels == c).any()]
    return labels.dropna().unique().tolist()


def _cell_names(rows: pd.DataFrame) -> pd.Series:
    columns = rows.columns.tolist()
    if "contrast" in columns:
        return rows["contrast"].astype(str)
    between = columns[columns.index("feature") + 1 : columns.index("estimate")]
    texts = [rows[c].astype(str) for c in between]
    return pd.Series([" · ".join(cell) for cell in zip(*texts, strict=True)] if texts else "",
                     index=rows.index)  # fmt: skip


def _p_values(rows: pd.DataFrame) -> Floats | None:
    for column in ("p_adj", "p"):
        if column in rows.columns and rows[column].notna().any():
            return rows[column].to_numpy(np.float64)
    return None


def _raw(rows: pd.DataFrame) -> bool:
    """Whether estimates are in the unit of the feature, not on a scale that a method names."""
    methods: Sequence[str] = rows["method"].astype(str).tolist() if "method" in rows else []
    return not any(word in m for m in methods for word in ("odds", "logit", "log ", "rank"))
