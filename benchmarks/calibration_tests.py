"""How often the tests reject where there is nothing, and their intervals hold where there is.

    python benchmarks/calibration_tests.py [--studies 1000] [--only PART ...]

Every study is people, recordings and frames with strongly autocorrelated noise, and goes through
the public functions from frames to p values. A study is one column of the table, so that a thousand
are tested in one call. Prints Markdown; docs/calibration.md has the numbers.
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import signal, special, stats

from facemt_analysis.stats import agreement, compare, decode, mixed, power

Floats = NDArray[np.float64]

N_FRAMES = 150
PHI = 0.95  # autocorrelation from frame to frame
SD_SUBJECT, SD_REACTIVITY, SD_FRAME = 0.10, 0.05, 0.10


def simulate(
    n_studies: int, subjects: int, conditions: int, *, trials: int = 1, between: bool = False,
    groups: tuple[int, ...] = (), effect: float = 0.0, spread: tuple[float, ...] | None = None,
    seed: int = 0,
) -> tuple[pd.DataFrame, list[str]]:  # fmt: skip
    """Frames of studies, one column each; `effect` is added to the last condition (or group)."""
    rng = np.random.default_rng(seed)
    keys, blocks = [], []
    sizes = np.repeat(np.arange(len(groups)), groups) if groups else np.zeros(subjects, dtype=int)
    for s in range(subjects):
        person = rng.normal(0, SD_SUBJECT, n_studies)
        seen = [s % conditions] if between else range(conditions)
        for c in seen:
            scale = SD_REACTIVITY if spread is None else spread[c]
            level = 0.5 + person + rng.normal(0, scale, n_studies)
            if c == conditions - 1 and (not groups or sizes[s] == len(groups) - 1):
                level = level + effect
            for t in range(trials):
                noise = rng.normal(0, SD_FRAME * np.sqrt(1 - PHI**2), (N_FRAMES + 100, n_studies))
                course = signal.lfilter([1], [1, -PHI], noise, axis=0)[100:]
                blocks.append((level + course).astype(np.float32))
                keys.append((s, f"c{c}", f"g{sizes[s]}", t, f"{s}_{c}_{t}"))
    names = [f"s{i}" for i in range(n_studies)]
    rows = pd.DataFrame(keys, columns=["subject", "condition", "group", "trial", "input"])
    rows = rows.loc[rows.index.repeat(N_FRAMES)].reset_index(drop=True)
    frame = pd.concat([rows, pd.DataFrame(np.concatenate(blocks), columns=names)], axis=1)
    return frame.assign(frame=np.tile(np.arange(N_FRAMES), len(keys))), names


def means_of(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Means of recordings: what every test works on; made once for slow models."""
    keys = ["subject", "condition", "group", "trial", "input"]
    return frame.groupby(keys, sort=False)[names].mean().astype(float).reset_index()


def as_scores(rows: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Squeeze the values between 0 and 1."""
    return pd.concat([rows.drop(columns=names), special.expit(4 * rows[names] - 2)], axis=1)


class Report:
    """Lines of a Markdown table."""

    def __init__(self, title: str, *columns: str) -> None:
        print(f"\n### {title}\n\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
        self.start = time.process_time()

    def add(self, *cells: object) -> None:
        texts = [f"{c:.1f}" if isinstance(c, float) else str(c) for c in cells]
        print(f"| {' | '.join(texts)} |", flush=True)

    def done(self) -> None:
        print(f"\n({time.process_time() - self.start:.0f} s of processor time)")


def share(p: pd.Series | Floats) -> float:
    return 100 * float(np.mean(np.asarray(p) < 0.05))


def null_within(n: int) -> None:
    report = Report("Within subjects: 20 people, 2 conditions, nothing planted", "test",
                    "rejects at 5 % (%)")  # fmt: skip
    frame, names = simulate(n, 20, 2, seed=1)
    for test in ("t", "rank", "permutation", "anova"):
        table = compare(frame, names, condition="condition", test=test, correction=None,
                        n_permutations=2000)  # fmt: skip
        report.add(f"`compare(test={test!r})`", share(table["p"]))
    scores = as_scores(means_of(frame, names), names)
    for label, options in {
        "`mixed()`": {},
        "`mixed(transform='logit')`": {"transform": "logit"},
        "`mixed(family='fraction')`": {"family": "fraction"},
        "`mixed(family='binomial')`": {"family": "binomial", "threshold": 0.5},
    }.items():
        data = frame if "binomial" in label else scores
        table = mixed(data, names, condition="condition", **options).table
        report.add(label, share(table["p"]))
    report.done()


def null_between(n: int) -> None:
    report = Report("Between subjects: 30 people in two groups (15, 15)", "test",
                    "rejects at 5 % (%)")  # fmt: skip
    frame, names = simulate(n, 30, 2, between=True, seed=2)
    for test in ("t", "student", "rank", "permutation", "anova", "welch-anova"):
        table = compare(frame, names, condition="condition", test=test, correction=None,
                        n_permutations=2000)  # fmt: skip
        report.add(f"`compare(test={test!r})`", share(table["p"]))
    scores = as_scores(means_of(frame, names), names)
    table = mixed(scores, names, condition="condition", family="fraction").table
    report.add("`mixed(family='fraction')`", share(table["p"]))
    report.done()
    report = Report("Between subjects, unequal groups and variances: 10 people with SD 0.2, "
                    "30 with 0.1", "test", "rejects at 5 % (%)")  # fmt: skip
    rng = np.random.default_rng(3)
    rows = pd.DataFrame({"subject": range(40), "group": ["a"] * 10 + ["b"] * 30})
    sd = np.repeat([0.2, 0.1], [10, 30])[:, None]
    rows = pd.concat([rows, pd.DataFrame(rng.normal(0.5, sd, (40, n)), columns=names)], axis=1)
    for test in ("t", "permutation", "welch-anova", "student", "rank", "anova"):
        table = compare(rows, names, between="group", test=test, correction=None,
                        n_permutations=2000)  # fmt: skip
        report.add(f"`compare(test={test!r})`", share(table["p"]))
    report.done()


def null_factorial(n: int) -> None:
    report = Report(
        "Repeated measures: 20 people, 4 conditions whose reactivity has SD 0.02, "
                    "0.03, 0.05 and 0.15 (no sphericity)", "test", "rejects at 5 % (%)",
    )  # fmt: skip
    frame, names = simulate(n, 20, 4, spread=(0.02, 0.03, 0.05, 0.15), seed=4)
    for kind in ("greenhouse-geisser", "huynh-feldt", "none"):
        table = compare(frame, names, condition="condition", test="anova", correction=None,
                        sphericity=kind)  # fmt: skip
        report.add(f"`compare(test='anova', sphericity={kind!r})`", share(table["p"]))
    report.done()
    report = Report("Mixed design: groups of 9 and 15 people, 3 conditions", "test", "effect",
                    "rejects at 5 % (%)")  # fmt: skip
    frame, names = simulate(n, 24, 3, groups=(9, 15), seed=5)
    table = compare(frame, names, condition="condition", between="group", correction=None)
    for term, part in table.groupby("contrast", sort=False):
        report.add("`compare(test='anova')`", term, share(part["p"]))
    wanted = ["c2 - c0", "g1 - g0", "(g1 - g0) * (c2 - c0)"]
    for test in ("t", "permutation"):
        table = compare(frame, names, condition="condition", between="group", correction=None,
                        test=test, contrast=wanted, n_permutations=2000)  # fmt: skip
        for term, part in table.groupby("contrast", sort=False):
            report.add(f"`compare(test={test!r})`", term, share(part["p"]))
    report.done()


def null_trials(n: int) -> None:
    report = Report("Several recordings: 16 people, 2 conditions, 3 recordings each", "test",
                    "rejects at 5 % (%)")  # fmt: skip
    frame, names = simulate(n, 16, 2, trials=3, seed=6)
    table = compare(frame, names, condition="condition", correction=None)
    report.add("`compare(test='t')`", share(table["p"]))
    rows = as_scores(means_of(frame, names), names)
    for label, options in {
        "`mixed()` (random='cells')": {},
        "`mixed(random='slopes')`": {"random": "slopes"},
        "`mixed(family='fraction')`": {"family": "fraction"},
        "`mixed(random='intercept')`, not recommended: leaves out that people react differently": {
            "random": "intercept"
        },
    }.items():
        table = mixed(rows, names, condition="condition", **options).table
        report.add(label, share(table["p"]))
    report.done()


def null_frames(n: int) -> None:
    report = Report("The same data (20 people, 2 conditions), frames for independent samples",
                    "test", "rejects at 5 % (%)")  # fmt: skip
    frame, names = simulate(n, 20, 2, seed=1)
    a, b = (frame.loc[frame["condition"] == c, names].to_numpy(float) for c in ("c0", "c1"))
    report.add("t test of all frames (SciPy `ttest_ind`)", share(stats.ttest_ind(a, b).pvalue))
    report.add(
        "paired t test of all frames (SciPy `ttest_rel`)", share(stats.ttest_rel(a, b).pvalue)
    )
    report.add("Mann–Whitney test of all frames (SciPy)",
               share(stats.mannwhitneyu(a, b, method="asymptotic").pvalue))  # fmt: skip
    few = names[: max(n // 10, 20)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = mixed(frame, few, condition="condition", rows="frames", random="intercept").table
    report.add(f"mixed model of all frames with random intercepts ({len(few)} studies)",
               share(table["p"]))  # fmt: skip
    report.done()


def families(n: int) -> None:
    report = Report("Any false positive among 10 features of 20 people (familywise)", "correction",
                    "any rejected (%)")  # fmt: skip
    frame, names = simulate(10 * n, 20, 2, seed=7)
    rows = means_of(frame, names)
    rng = np.random.default_rng(0)  # features share 60 % of their variance
    values = rows[names].to_numpy().reshape(len(rows), n, 10)
    values = 0.77 * values[:, :, :1] + 0.63 * values
    people = rows[["subject", "condition", "input"]]
    hits = dict.fromkeys(("holm", "max-t", "fdr_bh"), 0)
    for i in range(n):
        table = pd.concat([people, pd.DataFrame(values[:, i], columns=list("abcdefghij"))], axis=1)
        for correction in hits:
            done = compare(table, list("abcdefghij"), condition="condition", correction=correction,
                           n_permutations=499, seed=int(rng.integers(1 << 30)))  # fmt: skip
            hits[correction] += bool((done["p_adj"] < 0.05).any())
    for correction, count in hits.items():
        report.add(f"`correction={correction!r}`", 100 * count / n)
    report.done()


def coverage(n: int) -> None:
    report = Report("Intervals under planted effects: share that hold the true value", "design",
                    "interval", "true value", "holds (%)")  # fmt: skip
    rng = np.random.default_rng(9)
    noise = rng.normal(0, SD_FRAME * np.sqrt(1 - PHI**2), (N_FRAMES + 100, 20_000))
    course = signal.lfilter([1], [1, -PHI], noise, axis=0)[100:]
    var_mean = float(course.mean(axis=0).var())  # of a recording's mean, over the noise
    sd_within = float(np.sqrt(2 * (SD_REACTIVITY**2 + var_mean)))
    dz = 0.6
    frame, names = simulate(n, 20, 2, effect=dz * sd_within, seed=8)
    truth = {"t": dz * sd_within, "rank": dz * sd_within, "permutation": dz * sd_within}
    for test, value in truth.items():
        table = compare(frame, names, condition="condition", test=test, correction=None,
                        n_permutations=2000)  # fmt: skip
        report.add("within, 20 people", f"`compare(test={test!r})`", f"{value:.4f}",
                   _holds(table, "ci", value))  # fmt: skip
        size = dz if test != "rank" else 2 * stats.norm.cdf(np.sqrt(2) * dz) - 1
        report.add("within, 20 people", f"effect size {table['effect_name'][0]} ({test})",
                   f"{size:.3f}", _holds(table, "effect_ci", size))  # fmt: skip
    p_t = compare(frame, names, condition="condition", correction=None)["p"]
    rows = means_of(frame, names)
    table = mixed(rows, names, condition="condition").table
    report.add("within, 20 people", "`mixed()`", f"{dz * sd_within:.4f}",
               _holds(table, "ci", dz * sd_within))  # fmt: skip
    sd_between = float(np.sqrt(SD_SUBJECT**2 + SD_REACTIVITY**2 + var_mean))
    d = 0.8
    frame, names = simulate(n, 40, 2, between=True, effect=d * sd_between, seed=10)
    for test in ("t", "rank", "permutation"):
        table = compare(frame, names, condition="condition", test=test, correction=None,
                        n_permutations=2000)  # fmt: skip
        report.add("between, 20 and 20 people", f"`compare(test={test!r})`",
                   f"{d * sd_between:.4f}", _holds(table, "ci", d * sd_between))  # fmt: skip
        size = d if test != "rank" else 2 * stats.norm.cdf(d / np.sqrt(2)) - 1
        report.add("between, 20 and 20 people", f"effect size {table['effect_name'][0]} ({test})",
                   f"{size:.3f}", _holds(table, "effect_ci", size))  # fmt: skip
    p_b = compare(frame, names, condition="condition", correction=None)["p"]
    table = compare(frame, names, condition="condition", test="anova", correction=None)
    eta = (d**2 * 10) / (d**2 * 10 + 40)
    report.add("between, 20 and 20 people", "partial η² (anova)", f"{eta:.3f}",
               _holds(table, "effect_ci", eta))  # fmt: skip
    report.done()
    report = Report("Power: measured and as `power()` says", "test", "measured (%)", "theory (%)")
    report.add(f"paired t, dz = {dz}, 20 people", share(p_t), 100 * power(dz, 20))
    report.add(f"Welch t, d = {d}, 20 and 20 people", share(p_b),
               100 * power(d, 20, design="between"))  # fmt: skip
    report.done()


def coverage_agreement(n: int) -> None:
    report = Report("Agreement: intervals by bootstrap over people", "people",
                    "measure", "true value", "holds (%)")  # fmt: skip
    for people in (8, 15, 40):
        big = agreement(*_raters(4000, 1), n_boot=100).set_index("metric")["estimate"]
        scale = agreement(*_raters(4000, 1, binary=False), n_boot=100).set_index("metric")[
            "estimate"
        ]
        hits: dict[str, int] = {}
        for i in range(n):
            for binary, true in ((True, big), (False, scale)):
                table = agreement(*_raters(people, 100 + i, binary=binary), n_boot=1000, seed=i)
                for row in table.itertuples():
                    inside = row.ci_low <= true[row.metric] <= row.ci_high
                    hits[row.metric] = hits.get(row.metric, 0) + bool(inside)
        for metric in ("f1", "kappa", "icc(2,1)", "ccc", "pearson", "bias", "loa_high", "rmse"):
            value = {**big, **scale}[metric]
            report.add(people, metric, f"{value:.3f}", 100 * hits[metric] / n)
    report.done()


def null_decoding(n: int) -> None:
    report = Report("Decoding of nothing: 12 people, 2 conditions, 2 features", "test",
                    "rejects at 5 % (%)")  # fmt: skip
    frame, names = simulate(2 * n, 12, 2, seed=11)
    rows = means_of(frame, names)
    p = [
        decode(rows, names[2 * i : 2 * i + 2], target="condition", n_folds=4, n_permutations=19,
               n_boot=100, seed=i).table["p"][0]
        for i in range(n)
    ]  # fmt: skip
    report.add("`decode()`, p ≤ .05", 100 * float(np.mean(np.array(p) <= 0.05 + 1e-12)))
    report.done()


def _raters(people: int, seed: int, *, binary: bool = True) -> tuple[pd.DataFrame, pd.DataFrame]:
    """People whose tool is right more or less often; 60 frames each, in bouts."""
    rng = np.random.default_rng(seed + 7919 * binary)
    keys = pd.DataFrame({"subject": np.repeat(np.arange(people), 60)})
    keys = keys.assign(input=keys["subject"], frame=np.tile(np.arange(60), people))
    noise = rng.normal(size=(people, 160, 2))
    course = signal.lfilter([1], [1, -0.9], noise, axis=1)[:, 100:] * np.sqrt(1 - 0.81)
    own = rng.normal(0, 0.5, (people, 1))
    truth = course[..., 0] + own
    rated = truth + course[..., 1] * np.exp(rng.normal(-0.5, 0.3, (people, 1)))
    rated = rated + rng.normal(0, 0.2, (people, 1))
    values = (truth > 0.5).astype(float) if binary else truth
    tool = keys.assign(AU12=rated.ravel())
    codes = keys[["input", "frame"]].assign(AU12=values.ravel())
    return tool, codes


def _holds(table: pd.DataFrame, prefix: str, value: float) -> float:
    inside = (table[f"{prefix}_low"] <= value) & (value <= table[f"{prefix}_high"])
    return 100 * float(inside.mean())


PARTS = {
    "within": null_within, "between": null_between, "factorial": null_factorial,
    "trials": null_trials, "frames": null_frames, "families": families, "coverage": coverage,
    "agreement": coverage_agreement, "decoding": null_decoding,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    options = parser.parse_args()
    print(f"{options.studies:,} simulated studies; a share of 5 % has a standard error of "
          f"{100 * np.sqrt(0.05 * 0.95 / options.studies):.1f} %.")  # fmt: skip
    for part in options.only:
        PARTS[part](options.studies)


if __name__ == "__main__":
    main()
