"""One comparison while it is being done: features, contrasts and what is left out."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.stats.anova import Sphericity, anova, welch_anova
from facemt_analysis.stats.contrasts import Contrast
from facemt_analysis.stats.design import Layout
from facemt_analysis.stats.permutation import Permuted, Permuter, permuted_t
from facemt_analysis.stats.rank_tests import rank_test
from facemt_analysis.stats.t_tests import Sample, t_test

__all__ = ["Comparison", "some_names"]

Floats = NDArray[np.float64]

_NAMED = 8


@dataclass
class Comparison:
    """Tests of the features of a layout.

    Parameters
    ----------
    layout
        Subjects × cells.
    test, min_subjects, level, effect, sphericity, n_permutations, seed
        As in :func:`facemt_analysis.stats.compare`.
    strict
        Raise for features without an answer instead of leaving them out with a warning.
    joint
        Whether the permutations of all contrasts have to go together.
    left_out
        Subjects → the tests that they lack a cell for; filled by the tests.
    null
        The permutations of each contrast; filled by :meth:`contrasts`.
    """

    layout: Layout
    test: str = "t"
    min_subjects: int = 2
    level: float = 0.95
    effect: str = "auto"
    sphericity: Sphericity = "greenhouse-geisser"
    n_permutations: int = 10_000
    seed: int = 0
    strict: bool = True
    joint: bool = False
    left_out: dict[tuple[str, ...], list[str]] = field(default_factory=dict)
    null: list[Permuted] = field(default_factory=list)

    def features(self, problems: dict[str, str]) -> list[str]:
        """Features without a problem; raise if the user asked for one that has."""
        if problems and (self.strict or len(problems) == len(self.layout.values)):
            shown = [f"{name}: {why}" for name, why in list(problems.items())[:_NAMED]]
            more = len(problems) - len(shown)
            raise FexError("; ".join(shown) + (f"; and {more} more." if more else "."))
        if problems:
            warnings.warn(
                "Features without an answer are left out: "
                + "; ".join(f"{name}: {why}" for name, why in problems.items()),
                UserWarning,
                stacklevel=4,
            )
        return [name for name in self.layout.values if name not in problems]

    # ------------------------------------------------------------------ contrasts
    def contrasts(self, contrasts: Sequence[Contrast]) -> list[dict[str, Any]]:
        """Test every contrast of every feature: rows, contrasts fastest."""
        samples = {
            (name, c.name): self.sample(values, c)
            for name, values in self.layout.values.items()
            for c in contrasts
        }
        problems: dict[str, str] = {}
        for (name, label), (sample, _) in samples.items():
            why = _flat(self.layout.values[name]) or self.too_little(sample, label)
            if why and name not in problems:
                problems[name] = why
        features = self.features(problems)
        permuted = {}
        if self.test == "permutation" or self.joint:
            permuted = self._permute(features, contrasts)
        rows = []
        critical = {c: done.critical(self.level) for c, done in permuted.items()}
        for i, name in enumerate(features):
            for c in contrasts:
                sample, lost = samples[name, c.name]
                row = self._tested(sample)
                if permuted:
                    row |= self._permuted_row(permuted[c.name], i, row, critical[c.name][i])
                used = np.count_nonzero(c.over(self.layout.within))
                n = len(sample.values)
                row |= {"feature": name, "contrast": c.name, "n_subjects": n, "n_obs": n * used}
                rows.append(self._noted(row, lost))
        self.null = [permuted[c.name] for c in contrasts] if permuted else []
        return rows

    def sample(self, values: Floats, contrast: Contrast) -> tuple[Sample, list[str]]:
        """Weigh the cells of subjects by a contrast; who lacks one is named."""
        layout = self.layout
        inner, outer = contrast.over(layout.within), contrast.over(layout.between)
        used = inner != 0
        made = values[:, used] @ inner[used]
        involved = outer[layout.group] != 0
        complete = involved & ~np.isnan(made)
        lost = layout.subject_names(involved & ~complete)
        within = contrast.involves(layout.within)
        spread = _spread(values[complete][:, used], layout.group[complete]) if within else np.nan
        sample = Sample(made[complete], layout.group[complete], outer, within, spread)
        return sample, lost

    def too_little(self, sample: Sample, label: str) -> str:
        """Say why a sample is no basis for a test; empty if it is."""
        counts = [len(values) for _, values in sample.parts()]
        if min(counts) < self.min_subjects:
            where = "one group has" if len(counts) > 1 else "there is"
            return (
                f"{label}: {where} {min(counts)} subject(s) with all cells, "
                f"{self.min_subjects} are needed"
            )
        if all(_no_spread(values) for _, values in sample.parts()):
            what = "difference" if sample.within else "value"
            return f"{label}: the {what} is the same in all subjects, nothing varies to test it by"
        return ""

    def _tested(self, sample: Sample) -> dict[str, Any]:
        if self.test == "rank":
            return rank_test(sample, level=self.level)
        return t_test(
            sample, equal_variances=self.test == "student", level=self.level, effect=self.effect
        )

    def _permute(self, features: list[str], contrasts: Sequence[Contrast]) -> dict[str, Permuted]:
        """Permute all features together; the same way for all contrasts if max-T needs that."""
        layout = self.layout
        stacked = np.stack([layout.values[name] for name in features], axis=2)  # (s, w, f)
        exact = True
        while True:
            permuter = Permuter(
                len(layout.subjects), self.n_permutations, self.seed, allow_exact=exact
            )
            done = {}
            for c in contrasts:
                inner, outer = c.over(layout.within), c.over(layout.between)
                used = inner != 0
                made = np.einsum("swf,w->sf", stacked[:, used], inner[used])
                who = np.flatnonzero(~np.isnan(made).all(axis=1))
                done[c.name] = permuted_t(made[who], layout.group[who], outer, who, permuter)
            sizes = {(len(p.null), p.exact, p.scheme) for p in done.values()}
            if not self.joint or len(sizes) == 1 or not exact:
                return done
            exact = False

    def _permuted_row(
        self, done: Permuted, i: int, row: dict[str, Any], critical: float
    ) -> dict[str, Any]:
        if self.test != "permutation":
            return {}
        reach = float(critical * done.se[i])
        how = "all" if done.exact else "random"
        return {
            "p": float(done.p[i]),
            "df": float("nan"),
            "ci_low": row["estimate"] - reach,
            "ci_high": row["estimate"] + reach,
            "method": f"permutation {row['method']} ({len(done.null):,} {how} "
            f"{'sign flips' if done.scheme == 'sign-flip' else 'exchanges of groups'})",
        }

    # ------------------------------------------------------------------ analyses of variance
    def analyses(self) -> list[dict[str, Any]]:
        """Analyse the variance of every feature: rows, effects fastest."""
        layout = self.layout
        if self.test == "welch-anova" and (layout.within or len(layout.between) != 1):
            raise OptionError("test='welch-anova' is for one factor between subjects.")
        complete = {name: ~np.isnan(v).any(axis=1) for name, v in layout.values.items()}
        problems = {}
        for name, values in layout.values.items():
            sizes = np.bincount(layout.group[complete[name]], minlength=layout.n_groups)
            why = _flat(values)
            if not why and sizes.min() < self.min_subjects:
                why = (
                    f"a group has {sizes.min()} subject(s) with all cells, {self.min_subjects} "
                    "are needed"
                )
            inside = _residuals(values[complete[name]], layout.group[complete[name]])
            if not why and _no_spread(inside):
                why = "nothing varies between subjects to test effects by"
            if why:
                problems[name] = why
        rows = []
        for name in self.features(problems):
            keep = complete[name]
            lost = layout.subject_names(np.logical_not(keep))
            values, group = layout.values[name][keep], layout.group[keep]
            if self.test == "welch-anova":
                made = [welch_anova(values[:, 0], group, layout.between[0].name, level=self.level)]
            else:
                made = anova(
                    values, group, layout.between, layout.within, correction=self.sphericity,
                    level=self.level,
                )  # fmt: skip
            counts = {"n_subjects": len(values), "n_obs": values.size}
            rows += [self._noted({"feature": name, **row, **counts}, lost) for row in made]
        return rows

    def _noted(self, row: dict[str, Any], lost: list[str]) -> dict[str, Any]:
        if lost:
            self.left_out.setdefault(tuple(lost), []).append(
                f"{row['feature']} ({row['contrast']})"
            )
            row["method"] += f"; left out, as a cell is missing: {some_names(lost)}"
        return row


def some_names(names: Sequence[str]) -> str:
    """List the first names, and how many more there are."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _flat(values: Floats) -> str:
    there = values[~np.isnan(values)]
    if not there.size:
        return "has no valid value"
    return f"is {there[0]:g} everywhere" if _no_spread(there) else ""


def _no_spread(values: Floats) -> bool:
    """Whether what varies is no more than rounding."""
    return bool(np.ptp(values) <= 1e-12 * np.abs(values).max(initial=0.0)) if values.size else True


def _residuals(values: Floats, group: NDArray[np.intp]) -> Floats:
    out = values.copy()
    for g in np.unique(group):
        out[group == g] -= out[group == g].mean(axis=0)
    return np.where(np.abs(out) <= 1e-12 * np.abs(values).max(initial=0.0), 0.0, out)


def _spread(values: Floats, group: NDArray[np.intp]) -> float:
    """Root mean square over cells of the SD of subjects within their groups."""
    df = len(values) - len(np.unique(group))
    if df < 1:
        return float("nan")
    return float(np.sqrt((_residuals(values, group) ** 2).sum() / df / values.shape[1]))
