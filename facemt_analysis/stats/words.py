"""Results in words and in tables for a paper: the last step, and the only one that rounds.

Numbers are written as in the Publication Manual of the American Psychological Association (7th ed.,
2020, section 6.36): two decimals, three for p; no zero before the point of what cannot exceed 1;
p below .001 as such.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from facemt_analysis.errors import FexError

__all__ = ["describe", "format_p", "paper_table", "sentence", "to_latex", "to_markdown"]

_MINUS = "\u2212"
_BOUNDED = {
    "rank-biserial", "partial eta squared", "r", "kappa", "pabak", "f1", "precision", "recall",
    "specificity", "accuracy", "ccc", "pearson", "icc", "icc1", "icc2", "icc3", "isc",
}  # fmt: skip
"""Names of numbers that cannot exceed 1 (ICC forms by their first word)."""

_TEXTS = ("dyad", "feature", "contrast", "metric", "measure", "term", "condition")

_SYMBOLS = {
    "partial eta squared": "partial η²", "rank-biserial": "rank-biserial r", "gz": "g_z",
    "dz": "d_z",
}  # fmt: skip


def sentence(row: Mapping[str, Any] | pd.Series, *, alpha: float = 0.05) -> str:
    """Say one row of a result in one sentence, with the numbers.

    Parameters
    ----------
    row
        Of a tidy result: comparison, mixed model, agreement, clusters, intersubject correlation …
        What it lacks is left out.
    alpha
        For the word "significant", judged by the corrected p value where there is one.

    Returns
    -------
    str
        Ends with a full stop.

    Examples
    --------
    >>> row = {"feature": "AU12", "contrast": "funny - neutral", "estimate": 0.098, "se": 0.021,
    ...        "ci_low": 0.053, "ci_high": 0.143, "statistic": 4.608, "statistic_name": "t",
    ...        "df": 15.0, "p": 0.00034, "p_adj": 0.00068, "effect_size": 1.152,
    ...        "effect_name": "dz", "n_subjects": 16, "method": "paired t test; Holm over 2 tests"}
    >>> print(sentence(row))
    The effect on AU12 (funny − neutral) was significant, estimate = 0.098, 95% CI [0.053, 0.143],
    t(15) = 4.61, p < .001, adjusted p < .001, d_z = 1.15, N = 16 (paired t test; Holm over 2 tests).
    """  # noqa: E501
    get = _getter(row)
    level = _level(get("method"))
    pieces = [
        _estimate(get, level),
        _statistic(get),
        *_p_values(get),
        _effect(get, level),
        _count(get),
    ]
    numbers = ", ".join(piece for piece in pieces if piece)
    method = f" ({get('method')})" if get("method") else ""
    return f"{_subject(get, alpha)}{numbers}{method}."


def describe(result: Any, *, alpha: float = 0.05) -> str:
    """Say every row of a result, one sentence per line.

    Parameters
    ----------
    result
        A tidy table, or a result that has one as ``.table``.
    alpha
        As in :func:`sentence`.

    Examples
    --------
    >>> table = pd.DataFrame({"feature": ["AU12"], "contrast": ["b - a"], "p": [0.2]})
    >>> describe(table)
    'The effect on AU12 (b − a) was not significant, p = .200.'
    """
    return "\n".join(sentence(row, alpha=alpha) for _, row in _table(result).iterrows())


def format_p(p: float) -> str:
    """Write a p value: three decimals, no leading zero, ``< .001`` for less.

    >>> format_p(0.0321), format_p(0.00001), format_p(0.9999)
    ('= .032', '< .001', '> .999')
    """
    if math.isnan(p):
        return "= NaN"
    if p < 0.001:
        return "< .001"
    if p > 0.9995:
        return "> .999" if p < 1 else "= 1.000"
    return f"= {p:.3f}".replace("0.", ".", 1)


def paper_table(result: Any) -> pd.DataFrame:
    """Format a result for a paper: text in every cell.

    Parameters
    ----------
    result
        A tidy table, or a result that has one as ``.table``.

    Returns
    -------
    DataFrame
        Columns that say nothing are gone; estimate, effect and their intervals are put together.

    Examples
    --------
    >>> table = pd.DataFrame({"feature": ["AU12"], "contrast": ["b - a"], "estimate": [0.5],
    ...                       "ci_low": [0.1], "ci_high": [0.9], "statistic": [2.5],
    ...                       "statistic_name": ["t"], "df": [15.0], "p": [0.0246]})
    >>> paper_table(table).iloc[0].to_dict()
    {'Feature': 'AU12', 'Contrast': 'b − a', 'Estimate': '0.50', '95% CI': '[0.10, 0.90]', 't(df)': 't(15) = 2.50', 'p': '.025'}
    """  # noqa: E501
    table = _table(result)
    if table.empty:
        raise FexError("The result has no rows to write.")
    getters = [_getter(row) for _, row in table.iterrows()]
    level = _level(getters[0]("method"))
    columns: dict[str, list[str]] = {}
    known: dict[str, Callable[[Any], str]] = {
        "Estimate": lambda g: _number(_main(g)[1], _places(g), _bounded(g)),
        f"{level}% CI": lambda g: _interval(g("ci_low"), g("ci_high"), _places(g), _bounded(g)),
        "t(df)": _statistic,
        "p": lambda g: _bare(format_p(g("p"))) if g("p") is not None else "",
        "adjusted p": lambda g: _bare(format_p(g("p_adj"))) if g("p_adj") is not None else "",
        "Effect size": lambda g: _effect(g, level),
        "N": lambda g: f"{int(g('n_subjects'))}" if g("n_subjects") is not None else "",
    }
    texts = [c for c in table.columns if c in _TEXTS]
    for name in texts:
        columns[name.capitalize()] = [_text(g(name)) for g in getters]
    for name in ("cluster", "start", "stop", "mass", "lag"):
        if name in table:
            columns[name.capitalize()] = [_any(g(name)) for g in getters]
    for name, write in known.items():
        columns[name] = [write(g) for g in getters]
    out = pd.DataFrame(columns)
    if len({g("statistic_name") for g in getters}) == 1 and getters[0]("statistic_name") != "t":
        out = out.rename(columns={"t(df)": "Statistic"})
    return out.loc[:, (out != "").any()]


def to_markdown(result: Any) -> str:
    """Write a result as a Markdown table; see :func:`paper_table`.

    Examples
    --------
    >>> print(to_markdown(pd.DataFrame({"feature": ["AU12"], "p": [0.0246]})))
    | Feature | p |
    |---|---|
    | AU12 | .025 |
    """
    table = paper_table(result)
    lines = [table.columns.tolist(), *table.to_numpy().tolist()]
    rows = ["| " + " | ".join(str(c).replace("|", "\\|") for c in line) + " |" for line in lines]
    return "\n".join([rows[0], "|" + "---|" * len(table.columns), *rows[1:]])


def to_latex(result: Any, *, caption: str | None = None, label: str | None = None) -> str:
    r"""Write a result as a LaTeX table (package booktabs); see :func:`paper_table`.

    Parameters
    ----------
    result
        A tidy table, or a result that has one as ``.table``.
    caption, label
        With one of them, the tabular stands in a table environment.

    Examples
    --------
    >>> print(to_latex(pd.DataFrame({"feature": ["gaze_yaw"], "p": [0.0001]})))
    \begin{tabular}{ll}
    \toprule
    Feature & p \\
    \midrule
    gaze\_yaw & $<$ .001 \\
    \bottomrule
    \end{tabular}
    """
    table = paper_table(result)
    lines = [table.columns.tolist(), *table.to_numpy().tolist()]
    rows = [" & ".join(_tex(str(cell)) for cell in line) + r" \\" for line in lines]
    body = [
        rf"\begin{{tabular}}{{{'l' * len(table.columns)}}}", r"\toprule", rows[0], r"\midrule",
        *rows[1:], r"\bottomrule", r"\end{tabular}",
    ]  # fmt: skip
    if caption is None and label is None:
        return "\n".join(body)
    head = [r"\begin{table}", r"\centering"]
    head += [rf"\caption{{{_tex(caption)}}}"] if caption is not None else []
    head += [rf"\label{{{label}}}"] if label is not None else []
    return "\n".join([*head, *body, r"\end{table}"])


# ---------------------------------------------------------------------- pieces
Getter = Callable[[str], Any]


def _getter(row: Mapping[str, Any] | pd.Series) -> Getter:
    """Give what is there; None for what is absent, NaN or empty."""

    def get(name: str) -> Any:
        value = row.get(name)
        return None if value is None or value is pd.NA or value == "" or value != value else value

    return get


def _table(result: Any) -> pd.DataFrame:
    table = getattr(result, "table", result)
    if not isinstance(table, pd.DataFrame):
        raise FexError(f"A table or a result with a table is needed, got {type(result).__name__}.")
    return table


def _subject(get: Getter, alpha: float) -> str:
    """Say what the row is about, up to the numbers."""
    about = _text(get("feature"))
    of = f" of {about}" if about else ""
    if get("metric") is not None:
        return f"Agreement on {about}: " if about else "Agreement: "
    details = [_text(get(name)) for name in ("contrast", "term", "dyad", "condition")]
    shown = ", ".join(d for d in details if d)
    shown = f" ({shown})" if shown else ""
    p = get("p_adj") if get("p_adj") is not None else get("p")
    verdict = "was " if p is None else f"was{'' if p < alpha else ' not'} significant, "
    if get("mass") is not None or get("start") is not None:
        start, stop = _any(get("start")), _any(get("stop"))
        where = f" from {start} to {stop} s" if start else ""
        mass = f"mass = {_number(get('mass'), 2)}, " if get("mass") is not None else ""
        return f"The cluster{of}{where}{shown} {verdict}{mass}"
    if get("isc") is not None:
        return f"The intersubject correlation{of}{shown} {verdict}"
    if get("measure") is not None:
        return f"The synchrony{of}{shown} {verdict}"
    return f"The effect{f' on {about}' if about else ''}{shown} {verdict}"


def _main(get: Getter) -> tuple[str, Any]:
    """Name and value of the number that the row is about."""
    if get("isc") is not None:
        return "ISC", get("isc")
    if get("measure") is not None and get("value") is not None:
        return _text(get("measure")), get("value")
    return _text(get("metric")) or "estimate", get("estimate")


def _estimate(get: Getter, level: str) -> str:
    name, value = _main(get)
    if value is None:
        return ""
    places, bounded = _places(get), _bounded(get)
    text = f"{name} = {_number(value, places, bounded)}"
    ci = _interval(get("ci_low"), get("ci_high"), places, bounded)
    return f"{text}, {level}% CI {ci}" if ci else text


def _statistic(get: Getter) -> str:
    if get("statistic") is None or get("statistic_name") is None:
        return ""
    dfs = [get(name) for name in ("df_effect", "df")]
    inside = ", ".join(_degrees(df) for df in dfs if df is not None)
    name = get("statistic_name")
    return f"{name}{f'({inside})' if inside else ''} = {_number(get('statistic'), 2)}"


def _p_values(get: Getter) -> list[str]:
    p, adjusted = get("p"), get("p_adj")
    out = [f"p {format_p(p)}"] if p is not None else []
    if adjusted is not None and adjusted != p:
        out.append(f"adjusted p {format_p(adjusted)}")
    return out


def _effect(get: Getter, level: str) -> str:
    if get("effect_size") is None:
        return ""
    name = get("effect_name") or "effect size"
    bounded = name in _BOUNDED
    text = f"{_SYMBOLS.get(name, name)} = {_number(get('effect_size'), 2, bounded)}"
    ci = _interval(get("effect_ci_low"), get("effect_ci_high"), 2, bounded)
    return f"{text}, {level}% CI {ci}" if ci else text


def _count(get: Getter) -> str:
    return f"N = {int(get('n_subjects'))}" if get("n_subjects") is not None else ""


def _level(method: object) -> str:
    found = re.search(r"([\d.]+) % intervals", str(method))
    return found.group(1) if found else "95"


def _bounded(get: Getter) -> bool:
    name = "isc" if get("isc") is not None else str(get("metric") or "")
    return name.lower().split("(")[0].strip() in _BOUNDED


def _places(get: Getter) -> int:
    """Decimals with which the uncertainty has two digits: at least two, at most six.

    Two for agreement, which nobody reads closer.
    """
    if _bounded(get):
        return 2
    se, low, high = get("se"), get("ci_low"), get("ci_high")
    if se is None and low is not None and high is not None and math.isfinite(high - low):
        se = (high - low) / 4
    if not se or not math.isfinite(se):
        return 2
    return min(max(2, 1 - math.floor(math.log10(abs(se)))), 6)


def _number(value: Any, places: int, bounded: bool = False) -> str:
    if value is None:
        return ""
    if math.isinf(value):
        return "∞" if value > 0 else f"{_MINUS}∞"
    text = f"{abs(value):.{places}f}"
    if bounded and text.startswith("0."):
        text = text[1:]
    return _MINUS + text if value < 0 and float(f"{value:.{places}f}") != 0 else text


def _interval(low: Any, high: Any, places: int, bounded: bool = False) -> str:
    if low is None or high is None:
        return ""
    return f"[{_number(low, places, bounded)}, {_number(high, places, bounded)}]"


def _degrees(df: float) -> str:
    return f"{df:.0f}" if abs(df - round(df)) < 1e-9 else f"{df:.2f}"


def _text(value: Any) -> str:
    return "" if value is None else re.sub(r"(^|\s)-(?=\s)", rf"\1{_MINUS}", str(value))


def _any(value: Any) -> str:
    if isinstance(value, float) and not float(value).is_integer():
        return _number(value, 2)
    return "" if value is None else str(int(value) if isinstance(value, float) else value)


def _bare(p: str) -> str:
    return p.removeprefix("= ")


_TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": "$<$",
    ">": "$>$", _MINUS: "$-$", "∞": r"$\infty$", "η": r"$\eta$", "²": "$^2$", "–": "--",
}  # fmt: skip


def _tex(text: str) -> str:
    return "".join(_TEX.get(character, character) for character in text)
