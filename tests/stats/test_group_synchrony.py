"""Group synchrony: known phases, a loop, shuffled people, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from facemt_analysis.errors import FacemtError
from facemt_analysis.stats import group_synchrony

T = np.arange(800) / 20  # 40 s at 20 points per second
RNG = np.random.default_rng(0)


def waves(phases: Any, frequency: float = 0.5) -> Any:
    return np.sin(2 * np.pi * frequency * T + np.asarray(phases)[:, None])


def test_people_who_keep_their_phases_are_in_full_synchrony() -> None:
    found = group_synchrony(waves([0.0, 0.5, -0.5, 0.0]), n_permutations=0)
    assert found.group == pytest.approx(1, abs=1e-3)
    np.testing.assert_allclose(found.individual, 1, atol=1e-3)
    np.testing.assert_allclose(found.relative_phase, [0, 0.5, -0.5, 0], atol=0.01)
    # Kuramoto's order parameter knows no fixed differences: |mean exp(iφ)|
    assert found.mean_order == pytest.approx((2 + 2 * np.cos(0.5)) / 4, abs=0.01)
    assert np.isnan(found.p)


def test_measures_are_those_of_a_loop() -> None:
    from scipy.signal import hilbert

    data = np.cumsum(RNG.normal(size=(4, 300)), axis=1)
    found = group_synchrony(data, n_permutations=0)
    theta = np.angle(hilbert(data - data.mean(1, keepdims=True)))
    q = np.array([np.angle(np.exp(1j * theta[:, t]).mean()) for t in range(300)])
    phi = theta - q
    mean = np.array([np.exp(1j * p).mean() for p in phi])
    rho = [abs(np.exp(1j * (phi[:, t] - np.angle(mean))).mean()) for t in range(300)]
    np.testing.assert_allclose(found.individual, np.abs(mean))
    np.testing.assert_allclose(found.group_course, rho)
    assert found.group == pytest.approx(np.mean(rho))
    np.testing.assert_allclose(found.order, [abs(np.exp(1j * t).mean()) for t in theta.T])


def test_who_moves_alone_is_told_from_the_group() -> None:
    data = np.vstack([waves([0.0, 0.2, -0.2]), waves([0.0], frequency=0.83)])
    found = group_synchrony(data, n_permutations=0)
    assert found.individual.argmin() == 3
    assert found.individual[3] < 0.4 < 0.9 < found.individual[:3].min()


def narrow(seed: int, shared: float) -> Any:
    """Noise between 0.3 and 0.7 Hz of four people, of which a part is the same."""
    from scipy import signal

    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(4, 1200)) + shared * rng.normal(size=1200)
    sos = signal.butter(2, [0.3, 0.7], "bandpass", fs=20, output="sos")
    return signal.sosfiltfilt(sos, noise, axis=1)[:, 200:-200]


def test_shared_noise_is_found_and_own_noise_is_not() -> None:
    together = group_synchrony(narrow(1, 1.0), n_permutations=99)
    assert together.p == pytest.approx(1 / 100)
    p = [group_synchrony(narrow(s, 0.0), n_permutations=19, seed=s).p for s in range(30)]
    assert abs(np.mean(np.array(p) <= 0.5 + 1e-9) - 0.5) < 0.32
    assert np.mean(np.array(p) <= 0.05 + 1e-9) < 0.2


def test_the_band_is_kept_and_gaps_are_bridged() -> None:
    data = waves([0.0, 0.4]) + 3 * np.sin(2 * np.pi * 4 * T + np.array([[0.0], [2.0]]))
    data[0, 100:110] = np.nan
    found = group_synchrony(data, rate=20, band=(0.3, 0.8), n_permutations=0)
    assert found.group_course[50:-50].mean() > 0.98  # the filter has no past at the ends
    assert np.ptp(found.relative_phase) == pytest.approx(0.4, abs=0.05)


@pytest.mark.parametrize(
    ("data", "options", "says"),
    [
        (waves([0.0]), {}, "at least 2 people"),
        (waves([0.0, 1.0])[:, :5], {}, "8 times"),
        (np.ones((2, 50)), {}, "constant"),
        (np.full((2, 50), np.nan), {}, "without any value"),
        (waves([0.0, 1.0]), {"band": (0.3, 0.7)}, "rate"),
        (waves([0.0, 1.0]), {"band": (0.3, 30), "rate": 20}, "band"),
        (waves([0.0, 1.0]), {"band": (0.7, 0.3), "rate": 20}, "band"),
    ],
    ids=["one", "short", "constant", "nan", "no-rate", "above-half", "order"],
)
def test_wrong_calls_say_what_is_wrong(data: Any, options: dict[str, Any], says: str) -> None:
    with pytest.raises(FacemtError, match=says):
        group_synchrony(data, **options)
