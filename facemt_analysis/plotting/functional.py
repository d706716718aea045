"""Courses as functions: what components do to the mean, mean courses that were compared."""

from __future__ import annotations

from matplotlib.axes import Axes

from facemt_analysis.checks import check_whole, near_names
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.plotting.style import INK, colour_of, legend_above, line_of, new_axes, unit_of
from facemt_analysis.stats.functional import FpcaResult, FunctionalAnovaResult
from facemt_analysis.stats.words import format_p

__all__ = ["plot_fpca", "plot_functional_anova"]


def plot_fpca(
    result: FpcaResult, component: int = 1, *, sds: float = 2.0, ax: Axes | None = None
) -> Axes:
    """Draw a functional principal component: the mean course, and what much and little of it do.

    Parameters
    ----------
    result
        What :func:`facemt_analysis.stats.fpca` gave.
    component
        Which one, from 1.
    sds
        How many standard deviations of the scores are added and taken away.
    ax
        Axes to draw on; default: those of a new figure.

    Returns
    -------
    Axes
        Three lines: the mean, with the component added (long dashes), with it taken away (dots).

    Raises
    ------
    OptionError
        If there is no such component.
    """
    if check_whole("component", component, 1) > len(result.components):
        raise OptionError(
            f"`component` must be at most {len(result.components)}, but got {component}."
        )
    shift = sds * float(result.table[f"PC{component}"].std()) * result.components[component - 1]
    axes = new_axes(ax, size=(3.4, 2.2))
    axes.plot(result.time, result.mean, color=INK, linewidth=1.4, label="mean")
    axes.plot(result.time, result.mean + shift, color=colour_of(0), linewidth=1.1,
              linestyle=line_of(1), label=f"+ {sds:g} SD")  # fmt: skip
    axes.plot(result.time, result.mean - shift, color=colour_of(1), linewidth=1.1,
              linestyle=line_of(2), label=f"− {sds:g} SD")  # fmt: skip
    share = result.explained[component - 1]
    axes.set(xlabel="Time (s)", ylabel=result.feature + unit_of(result.feature))
    axes.margins(x=0, y=0.14)  # room for the words
    legend_above(axes)
    _say(axes, f"PC{component}, {100 * share:.0f} % of variance")
    return axes


def plot_functional_anova(
    result: FunctionalAnovaResult, feature: str | None = None, *, ax: Axes | None = None
) -> Axes:
    """Draw the mean courses that a functional analysis of variance compared.

    Parameters
    ----------
    result
        What :func:`facemt_analysis.stats.functional_anova` gave.
    feature
        Which one; default the first.
    ax
        Axes to draw on; default: those of a new figure.

    Returns
    -------
    Axes
        One line per condition or group; the p (corrected over features) in the corner.

    Raises
    ------
    FexError
        If there is no such feature.
    """
    name = result.features[0] if feature is None else feature
    if name not in result.features:
        raise FexError(
            f"`feature`: there is no {name!r}.{near_names(name, result.features)} "
            f"There is: {', '.join(result.features)}."
        )
    place = result.features.index(name)
    row = result.table.iloc[place]
    axes = new_axes(ax, size=(3.4, 2.2))
    for i, cell in enumerate(result.cells):
        axes.plot(result.time, result.means[i, place], color=colour_of(i), linewidth=1.2,
                  linestyle=line_of(i), label=cell)  # fmt: skip
    axes.set(xlabel="Time (s)", ylabel=name + unit_of(name))
    axes.margins(x=0, y=0.14)
    legend_above(axes)
    _say(axes, f"F = {row['statistic']:.2f}, p {format_p(float(row['p_adj']))}")
    return axes


def _say(axes: Axes, words: str) -> None:
    """Write in the upper right corner."""
    axes.annotate(words, (1.0, 1.0), (-2, -2), xycoords="axes fraction",
                  textcoords="offset points", ha="right", va="top", size="small")  # fmt: skip
