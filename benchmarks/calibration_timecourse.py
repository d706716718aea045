"""How often tests over time reject when there is nothing: 5 % is what they promise.

    python benchmarks/calibration_timecourse.py [--studies 1000] [--only cluster,isc] [--match TEXT]

Every simulated study has subjects (or dyads) with courses of their own and nothing in common.
Courses are strongly autocorrelated (the correlation falls to 1/e after 0.7 to 0.9 s), in two kinds:
``even`` (Gaussian) and ``bursty`` (log-normal: rare, short displays, as action units have them).
Prints one row per test: the share of studies in which p ≤ 0.05, with its standard error.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, stats

from facemt_analysis.stats import (
    cluster_permutation_array,
    functional_anova_array,
    group_synchrony,
    isc_array,
    isc_null,
    jackknife_isc,
)
from facemt_analysis.stats.isc_engine import summarize_isc
from facemt_analysis.stats.synchrony_scores import scorer, segment_scorer
from facemt_analysis.stats.synchrony_surrogates import by_chance

Floats = NDArray[np.float64]
Test = Callable[[int, str], float]

HZ = 10
WIDTH = 0.5 * HZ  # of the Gaussian kernel, points


def courses(seed: int, kind: str, *shape: int) -> Floats:
    """Make independent courses, last axis time."""
    extra = int(6 * WIDTH)
    raw = np.random.default_rng(seed).normal(size=(*shape[:-1], shape[-1] + 2 * extra))
    x = ndimage.gaussian_filter1d(raw, WIDTH, axis=-1)[..., extra:-extra]
    x /= np.sqrt((ndimage.gaussian_filter1d(np.eye(1, 201, 100), WIDTH) ** 2).sum())
    return np.exp(1.5 * x) if kind == "bursty" else x


def frames_as_samples(seed: int, kind: str) -> float:
    """Compare two conditions of one study as if frames were independent: what not to do."""
    x = courses(seed, kind, 20, 2, 300)
    return float(stats.ttest_ind(x[:, 0].ravel(), x[:, 1].ravel()).pvalue)


def cluster_tests() -> Iterator[tuple[str, Test]]:
    """Cluster-based permutation: 20 subjects, 300 times, 2 features, 199 rearrangements."""

    def within(method: str, k: int) -> Test:
        def run(seed: int, kind: str) -> float:
            data = courses(seed, kind, 20, k, 2, 300)
            return smallest(cluster(data, None, method, seed))

        return run

    def between(method: str, k: int) -> Test:
        def run(seed: int, kind: str) -> float:
            data = courses(seed, kind, 20, 2, 300)
            return smallest(cluster(data, np.arange(20) % k, method, seed))

        return run

    def cluster(data: Floats, groups: Floats | None, method: str, seed: int) -> object:
        return cluster_permutation_array(
            data, groups, n_permutations=199, method=method, seed=seed, alpha=0.05
        )

    def smallest(found: object) -> float:
        return float(found.p.min(initial=1.0))

    for method in ("mass", "tfce"):
        yield f"cluster {method}, paired t", within(method, 2)
        yield f"cluster {method}, Welch's t, 10 + 10", between(method, 2)
    yield "cluster mass, repeated-measures F, 3 conditions", within("mass", 3)
    yield "cluster mass, one-way F, 3 groups", between("mass", 3)


def functional_tests() -> Iterator[tuple[str, Test]]:
    """Functional ANOVA: 20 subjects, 300 times, 199 rearrangements."""

    def within(seed: int, kind: str) -> float:
        return functional_anova_array(
            courses(seed, kind, 20, 3, 300), n_permutations=199, seed=seed
        ).p

    def between(seed: int, kind: str) -> float:
        return functional_anova_array(
            courses(seed, kind, 20, 300), np.arange(20) % 2, n_permutations=199, seed=seed
        ).p

    yield "functional ANOVA, 3 conditions", within
    yield "functional ANOVA, 2 groups", between


def isc_tests() -> Iterator[tuple[str, Test]]:
    """Intersubject correlation: 10 subjects, 300 times, 39 random data sets."""

    def one(method: str, null: str) -> Test:
        def run(seed: int, kind: str) -> float:
            data = courses(seed, kind, 10, 300)
            data = data / data.std(axis=1, keepdims=True)
            values = isc_null(data, method, null, n_permutations=39, seed=seed)
            return float(np.mean(values >= values[0] - 1e-12))

        return run

    for method in ("leave-one-out", "pairwise"):
        for null in ("circular-shift", "phase", "bootstrap"):
            yield f"isc {method}, {null}", one(method, null)


def synchrony_tests() -> Iterator[tuple[str, Test]]:
    """Dyads: 5 pairs, 30 s (dtw, recurrence: 10 s); all 120 exchanges, or 39 surrogates."""

    def one(measure: str, surrogate: str, n: int, n_times: int = 300) -> Test:
        score = scorer(measure, rate=HZ, window=4, step=None, max_lag=1, recurrence_rate=0.05)
        segments = segment_scorer("peak", rate=HZ, window=4, max_lag=1)

        def run(seed: int, kind: str) -> float:
            pairs = courses(seed, kind, 5, 2, 1, n_times)
            sign = -1.0 if measure == "dtw" else 1.0
            null = by_chance(
                pairs, score, segments if surrogate == "segments" else None, surrogate,
                sign=sign, apart=50, n_permutations=n, seed=seed,
            ).null  # fmt: skip
            return float(np.mean(null >= null[0] - 1e-12))

        return run

    for measure in ("peak", "mean", "dtw", "recurrence"):
        n_times = 300 if measure in ("peak", "mean") else 100
        yield f"synchrony {measure}, pseudo-dyads", one(measure, "pseudo-dyads", 200, n_times)
    for surrogate in ("segments", "circular-shift"):
        yield f"synchrony peak, {surrogate}", one("peak", surrogate, 39)
    yield "synchrony peak, circular-shift, 60 s", one("peak", "circular-shift", 39, 600)

    def phases(seed: int, kind: str) -> float:
        return group_synchrony(courses(seed, kind, 4, 300), n_permutations=39, seed=seed).p

    yield "group synchrony of 4, circular shifts", phases


def interval_tests() -> Iterator[tuple[str, Callable[[int, str], tuple[float, ...]]]]:
    """Mean correlation with its interval, of people who share a film to different degrees."""

    def one(method: str, n: int) -> Callable[[int, str], tuple[float, ...]]:
        def run(seed: int, kind: str) -> tuple[float, ...]:
            film, own = courses(10**6, kind, 1, 300), courses(seed, kind, n, 300)
            film, own = ((x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)
                         for x in (film, own))  # fmt: skip
            data = np.random.default_rng(seed).gamma(4, 0.2, (n, 1)) * film + own
            data = data / data.std(axis=1, keepdims=True)
            mean = float(summarize_isc(isc_array(data, method), method))
            return mean, *jackknife_isc(data, method)

        return run

    for method in ("leave-one-out", "pairwise"):
        for n in (10, 20):
            yield f"isc {method}, 95 % interval, {n} subjects", one(method, n)


PARTS = {
    "frames": lambda: iter([("t test with frames as samples (never do this)", frames_as_samples)]),
    "cluster": cluster_tests,
    "functional": functional_tests,
    "isc": isc_tests,
    "synchrony": synchrony_tests,
}


def main() -> None:
    """Run and print rows of a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--only", default=",".join([*PARTS, "intervals"]))
    parser.add_argument("--match", default="", help="only tests whose name holds this")
    options = parser.parse_args()
    wanted = options.only.split(",")
    print("| test | courses | rejected at 5 % | s.e. | studies |\n|---|---|---|---|---|")
    for part in wanted:
        if part not in PARTS:
            continue
        for name, test in PARTS[part]():
            if options.match not in name:
                continue
            for kind in ("even", "bursty"):
                p = np.array([test(seed, kind) for seed in range(options.studies)])
                row(name, kind, p <= 0.05 + 1e-9)
    if "intervals" in wanted:
        print("\n| interval | courses | covers | s.e. | studies |\n|---|---|---|---|---|")
        for name, run in interval_tests():
            for kind in ("even", "bursty"):
                mean, low, high = np.array([run(s, kind) for s in range(options.studies)]).T
                truth = np.tanh(np.arctanh(mean).mean())
                row(name, kind, (low <= truth) & (truth <= high))


def row(name: str, kind: str, yes: NDArray[np.bool_]) -> None:
    """Print a share and its standard error."""
    share = yes.mean()
    se = np.sqrt(share * (1 - share) / len(yes))
    print(f"| {name} | {kind} | {share:.1%} | {se:.1%} | {len(yes)} |", flush=True)


if __name__ == "__main__":
    main()
