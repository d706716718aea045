"""Speed of the cluster-based permutation test, beside MNE's on the same data.

    python benchmarks/cluster_permutation.py [--n-permutations 5000] [--n-jobs 2] [--tfce]

Needs MNE (``pip install mne``) for the comparison. Differences of 60 subjects with strongly
autocorrelated courses: 1,500 points of time, 20 action units. MNE has no family over features: it
is run for one action unit after the other, with the same threshold and number of permutations.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import ndimage

from facemt_analysis.stats import cluster_permutation_array


def courses(n_subjects: int, n_features: int, n_times: int, seed: int = 0) -> np.ndarray:
    """Make smooth differences (subjects, features, times), autocorrelated over about 30 points."""
    noise = np.random.default_rng(seed).normal(size=(n_subjects, n_features, n_times))
    smooth = ndimage.gaussian_filter1d(noise, 15, axis=-1)
    return smooth / smooth.std() + 0.1


def timed(name: str, run: Callable[[], Any]) -> Any:
    """Run, and print wall and processor time."""
    wall, processor = time.perf_counter(), time.process_time()
    result = run()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    print(f"{name:<44} {wall:8.2f} s wall {processor:8.2f} s processor", flush=True)
    return result


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n-subjects", type=int, default=60)
    parser.add_argument("--n-features", type=int, default=20)
    parser.add_argument("--n-times", type=int, default=1500)
    parser.add_argument("--n-permutations", type=int, default=5000)
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--tfce", action="store_true", help="TFCE instead of cluster mass")
    options = parser.parse_args()
    data = courses(options.n_subjects, options.n_features, options.n_times)
    method = "tfce" if options.tfce else "mass"
    n = options.n_permutations
    print(f"{data.shape} (subjects, action units, times), {n} permutations, {method}")

    def ours(n_jobs: int) -> Any:
        return cluster_permutation_array(
            data, n_permutations=n, method=method, seed=1, n_jobs=n_jobs
        )

    one = timed("facemt_analysis, 1 thread", lambda: ours(1))
    if options.n_jobs > 1:
        many = timed(f"facemt_analysis, {options.n_jobs} threads", lambda: ours(options.n_jobs))
        np.testing.assert_array_equal(one.p, many.p)
    try:
        from mne.stats import permutation_cluster_1samp_test
    except ImportError:
        print("MNE is not installed: no comparison")
        return
    threshold = {"start": 0, "step": 0.1} if options.tfce else one.threshold

    def theirs(n_jobs: int) -> list[Any]:
        return [
            permutation_cluster_1samp_test(
                data[:, f], threshold=threshold, n_permutations=n, n_jobs=n_jobs,
                out_type="mask", verbose="error",
            )
            for f in range(options.n_features)
        ]  # fmt: skip

    found = timed("MNE, one action unit after the other, 1 job", lambda: theirs(1))
    if options.n_jobs > 1:
        timed(f"MNE, {options.n_jobs} jobs", lambda: theirs(options.n_jobs))
    observed = np.array([t for t, *_ in found])
    ours_at = one.statistic if one.enhanced is None else one.enhanced
    print("largest difference of the observed statistic:", np.abs(observed - ours_at).max())
    if one.enhanced is None:
        print("clusters:", sum(len(c) for _, c, *_ in found), "MNE,", len(one.p), "here")


if __name__ == "__main__":
    main()
