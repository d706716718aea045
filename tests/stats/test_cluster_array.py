"""The permutation engine: known answers, other people's numbers, invariances, wrong calls."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage, stats

from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.stats import cluster_array, cluster_permutation_array
from facemt_analysis.stats.cluster_runs import find_clusters, largest_mass, tfce

Floats = NDArray[np.float64]


def sample(seed: int, n: int, n_times: int = 40) -> Floats:
    """Random walks with a Hanning bump at points 10–20, shape (n, times)."""
    x = np.random.default_rng(seed).normal(size=(n, n_times)).cumsum(-1) * 0.3
    x[:, 10:20] += np.hanning(10) * 2
    return x


X, Y, Z = sample(1, 8), sample(2, 9), sample(3, 7)
Y[:, 10:20] -= np.hanning(10) * 2
Z[:, 25:35] += 1


def smooth(seed: int, *shape: int) -> Floats:
    """Strongly autocorrelated noise."""
    return np.random.default_rng(seed).normal(size=shape).cumsum(-1)


# ------------------------------------------------------------------ runs
def brute_force_tfce(course: Floats, step: float) -> Floats:
    out = np.zeros(len(course))
    for i, value in enumerate(course):
        sign = np.sign(value)
        level = 1
        while level * step < abs(value):
            height = level * step
            left = right = i
            while left > 0 and sign * course[left - 1] > height:
                left -= 1
            while right < len(course) - 1 and sign * course[right + 1] > height:
                right += 1
            out[i] += (right - left + 1) ** 0.5 * height**2 * step
            level += 1
        out[i] *= sign
    return out


@pytest.mark.parametrize("step", [0.1, 0.37])
def test_tfce_is_its_definition(step: float) -> None:
    courses = smooth(4, 5, 60) / 3
    expected = np.array([brute_force_tfce(c, step) for c in courses])
    np.testing.assert_allclose(tfce(courses, step=step), expected, rtol=1e-12)


def test_tfce_of_one_side_is_that_of_the_positive_part() -> None:
    courses = smooth(5, 3, 30)
    np.testing.assert_array_equal(tfce(courses, "greater"), np.maximum(tfce(courses), 0))
    np.testing.assert_array_equal(tfce(courses, "less"), np.minimum(tfce(courses), 0))


def test_clusters_end_with_the_row_at_nan_and_at_a_change_of_sign() -> None:
    rows = np.array([[0, 3, 3, np.nan, 3, -3], [3, 0, 2, 2.5, 0, 4]])
    row, start, stop, mass = find_clusters(rows, 2.0)
    assert row.tolist() == [0, 0, 0, 1, 1, 1]
    assert start.tolist() == [1, 4, 5, 0, 3, 5]
    assert stop.tolist() == [3, 5, 6, 1, 4, 6]
    assert mass.tolist() == [6, 3, -3, 3, 2.5, 4]
    assert largest_mass(rows, 2.0).tolist() == [6, 4]
    assert largest_mass(rows, 2.0, "less").tolist() == [3, 0]


# ------------------------------------------------------------------ the observed statistic
def test_t_of_one_sample_is_scipys() -> None:
    found = cluster_permutation_array(X[:, None], n_permutations=9)
    np.testing.assert_allclose(found.statistic[0], stats.ttest_1samp(X, 0).statistic, rtol=1e-10)


def test_t_within_is_scipys_paired_t() -> None:
    found = cluster_permutation_array(np.stack([X[:7], Z], 1)[:, :, None], n_permutations=9)
    np.testing.assert_allclose(found.statistic[0], stats.ttest_rel(Z, X[:7]).statistic, rtol=1e-10)


@pytest.mark.parametrize("equal_var", [True, False], ids=["student", "welch"])
def test_t_between_is_scipys(equal_var: bool) -> None:
    data, groups = np.concatenate([X, Y])[:, None] + 1e3, [0] * 8 + [1] * 9
    found = cluster_permutation_array(data, groups, n_permutations=9, equal_var=equal_var)
    expected = stats.ttest_ind(Y, X, equal_var=equal_var).statistic
    np.testing.assert_allclose(found.statistic[0], expected, rtol=1e-9)


def test_f_between_is_scipys() -> None:
    data, groups = np.concatenate([X, Y, Z])[:, None], [0] * 8 + [1] * 9 + [2] * 7
    found = cluster_permutation_array(data, groups, n_permutations=9)
    np.testing.assert_allclose(found.statistic[0], stats.f_oneway(X, Y, Z).statistic, rtol=1e-9)


def holes(data: Floats, share: float = 0.2) -> Floats:
    out = data.copy()
    out[np.random.default_rng(9).random(out.shape) < share] = np.nan
    return out


@pytest.mark.parametrize("kind", ["one", "welch", "student", "f"])
def test_missing_values_are_left_out_point_by_point(kind: str) -> None:
    a, b, c = holes(X), holes(Y), holes(Z)
    expected: Any
    if kind == "one":
        found = cluster_permutation_array(a[:, None], n_permutations=9, min_subjects=4)
        expected = stats.ttest_1samp(a, 0, nan_policy="omit").statistic
    elif kind == "f":
        data, groups = np.concatenate([a, b, c])[:, None], [0] * 8 + [1] * 9 + [2] * 7
        found = cluster_permutation_array(data, groups, n_permutations=9, min_subjects=2)
        columns = range(a.shape[1])
        expected = [
            stats.f_oneway(*(g[~np.isnan(g[:, i]), i] for g in (a, b, c))).statistic
            for i in columns
        ]
    else:
        equal = kind == "student"
        data = np.concatenate([a, b])[:, None]
        found = cluster_permutation_array(
            data, [0] * 8 + [1] * 9, n_permutations=9, equal_var=equal, min_subjects=2
        )
        expected = stats.ttest_ind(b, a, equal_var=equal, nan_policy="omit").statistic
    tested = ~np.isnan(found.statistic[0])
    assert tested.sum() > 35
    np.testing.assert_allclose(found.statistic[0][tested], np.asarray(expected)[tested], rtol=1e-9)


def test_repeated_measures_take_complete_subjects_at_each_point() -> None:
    data = np.stack([X[:7], Y[:7], Z], 1)
    gaps = data.copy()
    gaps[2, 1, :20] = np.nan
    found = cluster_permutation_array(gaps[:, :, None], n_permutations=9)
    full = cluster_permutation_array(data[:, :, None], n_permutations=9)
    without = cluster_permutation_array(np.delete(data, 2, 0)[:, :, None], n_permutations=9)
    np.testing.assert_allclose(found.statistic[0, :20], without.statistic[0, :20], rtol=1e-9)
    np.testing.assert_allclose(found.statistic[0, 20:], full.statistic[0, 20:], rtol=1e-9)


# MNE-Python 1.13.2 on the arrays X, Y, Z above, points 0, 12, 15, 39.
# permutation_cluster_1samp_test(X, threshold=…, n_permutations=4096, tail=0), all 128 sign flips;
# ..., threshold=dict(start=0, step=0.1); tail=1, all 256; permutation_cluster_test([X, Y, Z],
# threshold=f.isf(.05, 2, 21), tail=1); f_mway_rm(stack([X[:7], Y[:7], Z], 1), [3], "A").
AT = [0, 12, 15, 39]
MNE_T = [1.9153214097, 3.7611587116, 8.3098520488, -2.5908785173]
MNE_CLUSTERS = [(12, 18, 38.14904730180399, 4 / 128), (37, 40, -7.688446613088328, 24 / 128)]
MNE_GREATER = [(0, 1, 1.9153214096552726, 80 / 256), (12, 18, 38.14904730180399, 9 / 256)]
MNE_TFCE = [2.6795920626, 40.4202220582, 329.6714581029, -13.5528792543]
MNE_TFCE_P = [0.71875, 0.0859375, 0.0078125, 0.265625]
MNE_F = [5.8285280118, 22.7918715403, 28.6245875742, 1.9872887668]
MNE_F_CLUSTERS = [(0, 1, 5.828528011837197), (7, 20, 194.1375714584165), (25, 35, 70.249505178711)]
MNE_RM_F = [3.8238917638, 12.526163101, 15.5129755801, 1.6233122112]


def rows(found: cluster_array.ClusterArrays) -> list[tuple[Any, ...]]:
    return list(zip(found.start, found.stop, found.mass, found.p, strict=True))


@pytest.mark.parametrize(
    ("tail", "expected"),
    [("two-sided", MNE_CLUSTERS), ("greater", MNE_GREATER)],
    ids=["two-sided", "greater"],
)
def test_clusters_and_exact_p_are_mnes(tail: Any, expected: list[tuple[float, ...]]) -> None:
    found = cluster_permutation_array(X[:, None], tail=tail)
    assert found.exact
    np.testing.assert_allclose(found.statistic[0, AT], MNE_T, rtol=1e-9)
    np.testing.assert_allclose(rows(found), expected, rtol=1e-9)


def test_tfce_and_its_exact_p_are_mnes() -> None:
    found = cluster_permutation_array(X[:, None], method="tfce")
    assert found.enhanced is not None
    np.testing.assert_allclose(found.enhanced[0, AT], MNE_TFCE, rtol=1e-9)
    np.testing.assert_allclose(found.p_values[0, AT], MNE_TFCE_P, rtol=1e-12)


def test_f_clusters_are_mnes() -> None:
    data, groups = np.concatenate([X, Y, Z])[:, None], [0] * 8 + [1] * 9 + [2] * 7
    found = cluster_permutation_array(data, groups, n_permutations=9)
    np.testing.assert_allclose(found.statistic[0, AT], MNE_F, rtol=1e-9)
    np.testing.assert_allclose([row[:3] for row in rows(found)], MNE_F_CLUSTERS, rtol=1e-9)


def test_repeated_measures_f_is_mnes() -> None:
    data = np.stack([X[:7], Y[:7], Z], 1)[:, :, None]
    found = cluster_permutation_array(data, n_permutations=9)
    np.testing.assert_allclose(found.statistic[0, AT], MNE_RM_F, rtol=1e-9)


@pytest.mark.oracle
@pytest.mark.parametrize("method", ["mass", "tfce"])
def test_mne_agrees_on_new_data(method: Any) -> None:
    mne_stats = pytest.importorskip("mne.stats")
    data = sample(11, 9)
    found = cluster_permutation_array(data[:, None], method=method)
    threshold: Any = found.threshold if method == "mass" else {"start": 0, "step": 0.1}
    t, clusters, p, _ = mne_stats.permutation_cluster_1samp_test(
        data, threshold=threshold, n_permutations=1024, out_type="mask", verbose="error"
    )
    if method == "mass":
        np.testing.assert_allclose(found.statistic[0], t, rtol=1e-9)
        assert [(c[0].start, c[0].stop) for c in clusters] == [r[:2] for r in rows(found)]
        np.testing.assert_allclose(found.p, p)
    else:
        np.testing.assert_allclose(found.enhanced[0], t, rtol=1e-9)  # type: ignore[index]
        np.testing.assert_allclose(found.p_values[0], p)


# ------------------------------------------------------------------ p
def biggest(statistic: Floats, threshold: float) -> float:
    return float(largest_mass(statistic[None], threshold)[0])


def test_exact_p_between_is_that_of_all_splits() -> None:
    data, groups = np.concatenate([X[:4], Y[:3]]), np.array([0] * 4 + [1] * 3)
    found = cluster_permutation_array(data[:, None], groups, equal_var=True)
    null = []
    for chosen in itertools.combinations(range(7), 3):
        second = np.isin(np.arange(7), chosen)
        t = stats.ttest_ind(data[second], data[~second]).statistic
        null.append(biggest(t, found.threshold))
    assert found.exact
    assert len(found.null_distribution) == 35
    np.testing.assert_allclose(np.sort(found.null_distribution), np.sort(null), rtol=1e-9)


def test_exact_p_of_three_groups_is_that_of_all_splits() -> None:
    data = np.concatenate([X[:2], Y[:3], Z[:2]])
    found = cluster_permutation_array(data[:, None], [0, 0, 1, 1, 1, 2, 2])
    null = []
    for labels in set(itertools.permutations([0, 0, 1, 1, 1, 2, 2])):
        groups = [data[np.array(labels) == g] for g in range(3)]
        null.append(biggest(stats.f_oneway(*groups).statistic, found.threshold))
    assert len(found.null_distribution) == len(null) == 210
    np.testing.assert_allclose(np.sort(found.null_distribution), np.sort(null), rtol=1e-9)


def test_exact_p_of_repeated_measures_is_that_of_all_orders() -> None:
    data = np.stack([X[:3], Y[:3], Z[:3]], 1)
    found = cluster_permutation_array(data[:, :, None])
    null = []
    for orders in itertools.product(itertools.permutations(range(3)), repeat=3):
        arranged = np.array([d[list(order)] for d, order in zip(data, orders, strict=True)])
        grand, by_condition = arranged.mean((0, 1)), arranged.mean(0)
        effect = 3 * ((by_condition - grand) ** 2).sum(0)
        rest = arranged - by_condition - arranged.mean(1, keepdims=True) + grand
        null.append(biggest((effect / 2) / ((rest**2).sum((0, 1)) / 4), found.threshold))
    # all 216 orders hold every arrangement six times, once for each way to name the conditions
    np.testing.assert_allclose(
        np.sort(np.repeat(found.null_distribution, 6)), np.sort(null), rtol=1e-9
    )


def test_random_p_comes_near_the_exact_one() -> None:
    exact = cluster_permutation_array(X[:, None], threshold=2.0, n_permutations=1000)
    random = cluster_permutation_array(X[:, None], threshold=2.0, n_permutations=126)
    assert exact.exact
    assert not random.exact
    np.testing.assert_allclose(random.p, exact.p, atol=0.12)


@pytest.mark.parametrize("method", ["mass", "tfce"])
def test_p_is_never_below_one_in_all(method: Any) -> None:
    data = np.random.default_rng(1).normal(5, 1, (12, 2, 20))
    found = cluster_permutation_array(data, n_permutations=99, method=method)
    assert np.nanmin(found.p_values) == pytest.approx(1 / 100)
    assert found.p.min() == pytest.approx(1 / 100)


@pytest.mark.parametrize("kind", ["one", "between", "groups", "repeated"])
@pytest.mark.parametrize("method", ["mass", "tfce"])
def test_p_depends_on_neither_threads_nor_blocks(
    kind: str, method: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = smooth(3, 15, 2, 50)
    groups = {"between": np.arange(15) % 2, "groups": np.arange(15) % 3}.get(kind)
    if kind == "repeated":
        data = smooth(3, 15, 3, 2, 50)
    options: Any = {"n_permutations": 60, "method": method, "seed": 5}
    one = cluster_permutation_array(data, groups, **options)
    three = cluster_permutation_array(data, groups, **options, n_jobs=3)
    monkeypatch.setattr(cluster_array, "_BLOCK", 50 * 7)
    blocks = cluster_permutation_array(data, groups, **options)
    np.testing.assert_array_equal(one.null_distribution, three.null_distribution)
    np.testing.assert_allclose(one.null_distribution, blocks.null_distribution, rtol=1e-12)
    np.testing.assert_array_equal(one.p_values, three.p_values)
    np.testing.assert_array_equal(one.p_values, blocks.p_values)
    other = cluster_permutation_array(data, groups, **{**options, "seed": 6})
    assert not np.array_equal(one.null_distribution, other.null_distribution)


@pytest.mark.parametrize(
    ("kind", "method"), [("one", "mass"), ("one", "tfce"), ("welch", "mass"), ("repeated", "mass")]
)
def test_smallest_p_is_uniform_without_an_effect(kind: str, method: Any) -> None:
    smallest = []
    for seed in range(100):
        data = smooth(100 + seed, 12, 20) if kind != "repeated" else smooth(seed, 12, 3, 20)
        groups = np.arange(12) % 2 if kind == "welch" else None
        found = cluster_permutation_array(
            data[..., None, :], groups, n_permutations=39, method=method, threshold=1.0, seed=seed
        )
        smallest.append(found.p.min(initial=1) if method == "mass" else np.nanmin(found.p_values))
    for level in (0.05, 0.2, 0.5):
        expected = 100 * level
        assert abs((np.array(smallest) <= level + 1e-9).sum() - expected) < 4 * np.sqrt(expected)


# ------------------------------------------------------------------ planted effects, invariances
def test_a_bump_is_found_where_it_is() -> None:
    data = ndimage.gaussian_filter1d(np.random.default_rng(8).normal(size=(30, 3, 200)), 5)
    data[:, 1, 80:120] += np.hanning(40)
    found = cluster_permutation_array(data, n_permutations=500)
    best = int(found.p.argmin())
    assert found.feature[best] == 1
    assert found.p[best] < 0.01
    assert 80 <= found.start[best] < 95
    assert 105 < found.stop[best] <= 120
    mask = found.masks()[best]
    assert mask.sum() == found.stop[best] - found.start[best]
    assert mask[100]


def test_a_bump_in_two_groups_is_found_where_it_is() -> None:
    data = ndimage.gaussian_filter1d(np.random.default_rng(8).normal(size=(30, 1, 200)), 5)
    data[15:, 0, 80:120] -= 2 * np.hanning(40)
    found = cluster_permutation_array(data, np.arange(30) // 15, n_permutations=500)
    best = int(found.p.argmin())
    assert found.mass[best] < 0
    assert found.p[best] < 0.01
    assert 80 <= found.start[best] < found.stop[best] <= 120


def test_sign_scale_and_order_of_time_do_not_matter() -> None:
    data = smooth(2, 14, 2, 40) + 1
    one = cluster_permutation_array(data, n_permutations=200)
    turned = cluster_permutation_array(-3 * data[..., ::-1], n_permutations=200)
    np.testing.assert_allclose(turned.statistic[..., ::-1], -one.statistic, rtol=1e-9)
    np.testing.assert_allclose(turned.null_distribution, one.null_distribution, rtol=1e-9)
    np.testing.assert_array_equal(turned.p_values[..., ::-1], one.p_values)


def test_what_a_subject_has_in_all_conditions_does_not_matter() -> None:
    data = smooth(2, 9, 3, 1, 40)
    shifted = data + smooth(3, 9, 1, 1, 40)
    one = cluster_permutation_array(data, n_permutations=50)
    other = cluster_permutation_array(shifted, n_permutations=50)
    np.testing.assert_allclose(other.statistic, one.statistic, rtol=1e-7)
    np.testing.assert_array_equal(other.p_values, one.p_values)


def test_more_features_make_p_larger_never_smaller() -> None:
    data = smooth(2, 12, 4, 40) + 1.5
    alone = cluster_permutation_array(data[:, :1], n_permutations=200)
    family = cluster_permutation_array(data, n_permutations=200)
    np.testing.assert_array_equal(alone.statistic[0], family.statistic[0])
    assert (family.null_distribution >= alone.null_distribution - 1e-9).all()
    assert (family.p[family.feature == 0] >= alone.p).all()


def test_points_with_few_subjects_or_no_variance_part_clusters() -> None:
    data = np.random.default_rng(1).normal(4, 1, (10, 1, 30))
    data[:7, 0, 10] = np.nan  # 3 of 10 are left
    data[:, 0, 20] = 0
    found = cluster_permutation_array(data, n_permutations=50)
    assert np.flatnonzero(np.isnan(found.statistic[0])).tolist() == [10, 20]
    assert found.start.tolist() == [0, 11, 21]
    assert found.n_at[0, [0, 10]].tolist() == [10, 3]
    fewer = cluster_permutation_array(data, n_permutations=50, min_subjects=3)
    assert fewer.start.tolist() == [0, 21]


# ------------------------------------------------------------------ wrong calls
@pytest.mark.parametrize(
    ("data", "options", "error", "says"),
    [
        (X[:1, None], {}, FexError, "At least 2 subjects"),
        (X[:3, None], {"groups": [0, 0, 1]}, FexError, "in every group, but got 1"),
        (X[:, None], {"groups": [0] * 8}, FexError, "at least 2 groups"),
        (X[:, None], {"groups": [0, 1]}, FexError, "8 subjects"),
        (X, {}, FexError, "shape"),
        (X[:, None, None], {"groups": [0, 1] * 4}, FexError, "shape"),
        (X[:, None, None], {}, FexError, "at least 2 conditions"),
        (X[:, None] * np.nan, {}, FexError, "No point of time can be tested"),
        (X[:, None] * 0, {}, FexError, "nowhere"),
        (np.full((3, 1, 4), np.inf), {}, FexError, "infinite"),
        (X[:, None], {"threshold": -1}, OptionError, "threshold"),
        (X[:, None], {"tail": "both"}, OptionError, "tail"),
        (X[:, None], {"method": "size"}, OptionError, "method"),
        (X[:, None], {"n_permutations": 0}, OptionError, "n_permutations"),
        (X[:, None], {"min_subjects": 9}, OptionError, "at most 8"),
        (X[:, None], {"n_jobs": 0}, OptionError, "n_jobs"),
    ],
    ids=[
        "one-subject", "one-in-a-group", "one-group", "short-groups", "two-dimensions",
        "groups-and-conditions", "one-condition", "all-nan", "constant", "infinite", "threshold",
        "tail", "method", "permutations", "min-subjects", "jobs",
    ],
)  # fmt: skip
def test_wrong_calls_say_what_is_wrong(
    data: Floats, options: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        cluster_permutation_array(data, **options)
