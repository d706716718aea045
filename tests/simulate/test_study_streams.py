"""Every number follows from the seed and the arguments that concern it, and from nothing else."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from facemt_analysis import schema
from facemt_analysis.simulate import simulate_study

SMALL = {"duration": 3, "fps": 15, "feature_groups": ["aus", "emotions", "va", "gazes", "poses"]}


def columns(fex: pd.DataFrame) -> list[str]:
    return schema.feature_columns(fex.columns)


def test_same_arguments_same_numbers_to_the_bit() -> None:
    first, truth = simulate_study(3, seed=5, **SMALL)
    np.random.default_rng(0).random(10)  # whatever happens between
    again, truth_again = simulate_study(3, seed=5, **SMALL)
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    assert first.info == again.info
    for name in ("frames", "events", "levels", "effects", "isc", "fixations"):
        pd.testing.assert_frame_equal(
            getattr(truth, name), getattr(truth_again, name), check_exact=True
        )


def test_a_new_process_gives_the_same_numbers() -> None:
    code = (
        "import zlib; from facemt_analysis.simulate import simulate_study\n"
        "fex, _ = simulate_study(2, seed=5, duration=2, fps=15)\n"
        "print(zlib.crc32(fex['AU12'].to_numpy().tobytes()))"
    )
    import zlib

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    fex, _ = simulate_study(2, seed=5, duration=2, fps=15)
    assert int(done.stdout) == zlib.crc32(fex["AU12"].to_numpy().tobytes())


def test_other_seeds_give_other_people() -> None:
    a, truth_a = simulate_study(30, seed=1, **SMALL)
    b, truth_b = simulate_study(30, seed=2, **SMALL)
    assert not np.allclose(a["AU12"], b["AU12"], equal_nan=True)
    one = truth_a.subjects.query("feature == 'AU12'")["baseline"].to_numpy()
    two = truth_b.subjects.query("feature == 'AU12'")["baseline"].to_numpy()
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.5
    assert not np.isin(one, two).any()


@pytest.mark.parametrize("design", ["within", "between", "mixed"])
def test_more_subjects_change_nothing_for_the_first(design: str) -> None:
    groups = ("x", "y") if design == "mixed" else None
    few, truth_few = simulate_study(4, design=design, groups=groups, seed=5, **SMALL)
    many, truth_many = simulate_study(7, design=design, groups=groups, seed=5, **SMALL)
    pd.testing.assert_frame_equal(
        pd.DataFrame(few), pd.DataFrame(many.iloc[: len(few)]), check_exact=True
    )
    pd.testing.assert_frame_equal(
        truth_few.events, truth_many.events.iloc[: len(truth_few.events)], check_exact=True
    )


def test_recordings_do_not_depend_on_the_other_conditions() -> None:
    two, _ = simulate_study(2, conditions=("neutral", "funny"), effects={}, seed=5, **SMALL)
    three, _ = simulate_study(2, conditions=("x", "funny", "neutral"), effects={}, seed=5, **SMALL)
    for name in two.recordings:
        np.testing.assert_array_equal(
            two.loc[two["input"] == name, columns(two)],
            three.loc[three["input"] == name, columns(three)],
        )


def test_subjects_are_not_alike_and_neither_are_their_trials() -> None:
    fex, _ = simulate_study(
        3, trials_per_condition=2, effects={}, isc=0, seed=5, **{**SMALL, "duration": 20}
    )
    wide = pd.DataFrame(fex).pivot_table(index="frame", columns="input", values="valence")
    r = wide.corr().to_numpy()[np.triu_indices(12, 1)]
    assert np.abs(r).max() < 0.7
    assert abs(r.mean()) < 0.15


def test_columns_do_not_depend_on_the_groups_asked_for() -> None:
    whole, _ = simulate_study(2, seed=5, duration=2, fps=15, feature_groups=schema.FEATURE_GROUPS)
    for groups in (["aus"], ["blendshapes", "va"], ["landmarks"], ["faceboxes", "poses"]):
        part, _ = simulate_study(2, seed=5, duration=2, fps=15, feature_groups=groups)
        assert set(part.groups) == {"keys", "framesizes", *groups}
        np.testing.assert_array_equal(part[columns(part)], whole[columns(part)])


def test_losses_and_noise_leave_the_events_alone() -> None:
    _, clean = simulate_study(2, seed=5, noise=0, missing=0, **SMALL)
    _, seen = simulate_study(2, seed=5, noise=2, missing=0.2, **SMALL)
    keep = ["input", "feature", "display", "onset", "apex", "offset"]
    pd.testing.assert_frame_equal(clean.events[keep], seen.events[keep])


def test_many_recordings_are_rendered_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, truth = simulate_study(5, seed=5, **SMALL)
    monkeypatch.setattr("facemt_analysis.simulate.study_engine._CHUNK_ROWS", 100)
    pieces, truth_pieces = simulate_study(5, seed=5, **SMALL)
    pd.testing.assert_frame_equal(whole, pieces, check_exact=True)
    pd.testing.assert_frame_equal(truth.effects, truth_pieces.effects)
    pd.testing.assert_frame_equal(truth.isc, truth_pieces.isc)


def test_it_is_fast() -> None:
    import time

    simulate_study(2, duration=2)  # imports, caches
    best = np.inf
    for _ in range(3):
        start = time.process_time()
        fex, _ = simulate_study()
        best = min(best, time.process_time() - start)
    assert len(fex) == 43_200
    assert best < 2.0
