"""Work that is replayed at a few batch sizes gives what it gives when it is run.

CUDA captures; here something that keeps to the same places in memory stands in for it.
"""

from __future__ import annotations

import copy
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from facemt_analysis.network import ModelConfig, Prediction
from facemt_analysis.network.batches import (
    SIZES,
    Batches,
    Captured,
    CudaCapture,
    padded_parts,
)
from facemt_analysis.network.engines import TorchEngine
from facemt_analysis.network.shortcut import ShortcutWarning

FIELDS = tuple(Prediction.__dataclass_fields__)


class StandIn:
    """Replays from one place to another, as a CUDA graph does."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.sizes: list[int] = []
        self.replays: list[int] = []
        self._fails_at = fails_at

    def __call__(self, run, place):
        if len(place) == self._fails_at:
            raise torch.cuda.OutOfMemoryError("no room")
        self.sizes.append(len(place))
        output = run(place).clone()

        def replay():
            self.replays.append(len(place))
            output.copy_(run(place))

        return Captured(place, output, replay)


def sums(x):
    return torch.stack([x.flatten(1).sum(dim=1), x.flatten(1)[:, 0]], dim=1)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 9, 16, 17, 19, 20, 33, 38, 39, 64, 100, 129, 555])
def test_parts_hold_all_and_fit(n):
    parts = list(padded_parts(n))
    assert sum(part for part, _ in parts) == n
    for part, size in parts:
        assert 0 < part <= size
        assert size in SIZES
        assert size <= 16 or part >= 0.6 * size


@pytest.mark.parametrize("n", [1, 3, 5, 8, 13, 37])
def test_rows_are_those_of_the_function(n):
    batches = Batches(sums, StandIn(), sizes=(1, 4, 8), after=0)
    generator = torch.Generator().manual_seed(n)
    for _ in range(3):  # what an earlier call left in the padding does not matter
        x = torch.randn(n, 2, 3, generator=generator)
        torch.testing.assert_close(batches(x), sums(x))


def test_results_stay_when_the_next_batch_is_run():
    batches = Batches(sums, StandIn(), after=0)
    first = batches(torch.ones(3, 2))
    kept = first.clone()
    batches(torch.full((3, 2), 9.0))
    assert torch.equal(first, kept)


def test_a_size_is_captured_once_when_it_has_been_asked_for_often_enough():
    capture = StandIn()
    batches = Batches(sums, capture, after=2)
    for _ in range(2):
        batches(torch.ones(3, 2))
    assert capture.sizes == []
    for _ in range(3):
        batches(torch.ones(3, 2))
    batches(torch.ones(4, 2))
    assert (capture.sizes, capture.replays) == ([4], [4] * 4)
    batches(torch.ones(1, 2))
    assert capture.sizes == [4]


def test_what_cannot_be_captured_is_run_with_one_warning():
    capture = StandIn(fails_at=8)
    batches = Batches(sums, capture, after=0)
    batches(torch.ones(2, 2))
    assert batches.captured
    with pytest.warns(ShortcutWarning, match="no room") as told:
        rows = batches(torch.ones(7, 2))
    assert len(told) == 1
    assert torch.equal(rows, sums(torch.ones(7, 2)))
    assert not batches.captured  # its memory is free
    assert torch.equal(batches(torch.ones(2, 2)), sums(torch.ones(2, 2)))  # silently


def test_threads_take_turns():
    inside, most = [], []

    def watched(x):
        inside.append(1)
        most.append(len(inside))
        threading.Event().wait(0.001)
        rows = sums(x)
        inside.pop()
        return rows

    batches = Batches(watched, StandIn(), sizes=(4,), after=0)
    given = [torch.full((1 + i % 4, 2), float(i)) for i in range(40)]
    with ThreadPoolExecutor(4) as pool:
        for x, rows in zip(given, pool.map(batches, given), strict=True):
            assert torch.equal(rows, sums(x))
    assert max(most) == 1


# --- the network --------------------------------------------------------------------------------


def assert_same(a: Prediction, b: Prediction, atol: float = 1e-5) -> None:
    for field in FIELDS:
        first, second = getattr(a, field), getattr(b, field)
        np.testing.assert_allclose(first, second, rtol=0, atol=atol, err_msg=field)


@pytest.fixture
def eyed(tiny_config, filled):
    """A network with all kinds of heads."""
    changes = {"gaze_eye_roi": True, "gaze_pose_6d": True, "gaze_bins": 6}
    return filled(ModelConfig.from_dict(tiny_config.to_dict() | changes))


def replaying(network, capture, after=0):
    engine = TorchEngine(network, capture=capture)
    engine._batches()._after = after
    return engine


@pytest.mark.parametrize("n", [1, 3, 21])
def test_a_replayed_network_predicts_the_same(eyed, generated, n):
    capture = StandIn()
    chips = generated.chips(n, 64)
    engine = replaying(eyed, capture)
    assert_same(engine.predict(chips), eyed.predict(chips))
    assert capture.replays
    assert len(engine.predict(chips[:0])) == 0


def test_a_broken_face_stays_alone(eyed, generated):
    chips = generated.chips(5, 64)
    engine = replaying(eyed, StandIn())
    clean = engine.predict(chips)
    chips[1, 0, 30, 30] = np.nan
    broken = engine.predict(chips)
    for field in FIELDS:
        rows = getattr(broken, field)
        assert np.isnan(rows[1]).any(), field
        np.testing.assert_array_equal(
            np.delete(rows, 1, 0), np.delete(getattr(clean, field), 1, 0), err_msg=field
        )
    assert_same(engine.predict(generated.chips(5, 64)), clean, 0)  # nothing is left of it


def test_changed_weights_are_captured_anew(eyed, generated):
    capture = StandIn()
    engine = replaying(eyed, capture)
    chips = generated.chips(2, 64)
    before = engine.predict(chips)
    with torch.no_grad():
        eyed.backbone.stem_0.weight.mul_(1.5)
        eyed.pose.mlp[-1].bias.add_(0.5)
    engine._batches()._after = 0
    after = engine.predict(chips)
    assert capture.sizes == [2, 2]
    assert np.abs(after.au - before.au).max() > 1e-3
    assert np.abs(after.pose - before.pose).max() > 0.1
    assert_same(after, eyed.predict(chips))


def test_nothing_captured_goes_into_copies(eyed, generated):
    engine = replaying(eyed, StandIn())
    chips = generated.chips(2, 64)
    expected = engine.predict(chips)
    for other in (copy.deepcopy(engine), pickle.loads(pickle.dumps(engine))):
        assert other._held is None
        assert_same(other.predict(chips), expected)


def test_on_a_cpu_nothing_is_captured(eyed):
    assert TorchEngine(eyed)._batches() is None


def test_what_is_wrong_with_chips_is_no_failure_of_the_card(eyed):
    engine = replaying(eyed, StandIn())
    with pytest.raises(ValueError, match="divide 8-bit"):
        engine.predict(np.full((1, 3, 64, 64), 200.0))


class Uncapturable(TorchDispatchMode):
    """Refuses what a capture does: reading values, making a tensor or an index of numbers."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert func.overloadpacket not in (
            torch.ops.aten._local_scalar_dense,
            torch.ops.aten.lift_fresh,
            torch.ops.aten.nonzero,
            torch.ops.aten.index,
        ), func
        return func(*args, **(kwargs or {}))


def test_what_is_refused():
    for wrong in (
        lambda x: x.sum().item(),
        lambda x: x.new_tensor([1.0, 2.0]),
        lambda x: x[:, [0, 1]],
        lambda x: x[x > 0],
    ):
        with pytest.raises(AssertionError), Uncapturable():
            wrong(torch.ones(2, 3))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"gaze_eye_roi": True, "gaze_pose_6d": True, "gaze_bins": 6},
        {"gaze_eye_roi": True, "gaze_head_frame": True, "gaze_hidden": 8, "n_blendshape": 0},
        {"mesh_normalized": False, "afg_channels": 512},
    ],
    ids=str,
)
def test_all_of_a_network_can_be_captured(tiny_config, filled, changes):
    network = filled(ModelConfig.from_dict(tiny_config.to_dict() | changes))
    maps_of = network._fused_maps()
    with torch.inference_mode(), Uncapturable():
        assert len(network.rows(maps_of(torch.rand(3, 3, 64, 64)))) == 3


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
class TestCuda:
    def test_a_function(self):
        batches = Batches(sums, CudaCapture(), after=0)
        for n in (5, 37, 5, 64, 1, 37):
            x = torch.randn(n, 3, 8, device="cuda")
            torch.testing.assert_close(batches(x), sums(x))
        assert set(batches.captured) == {1, 8, 32, 64}

    def test_what_cannot_be_captured(self):
        def waits(x):
            return x * float(x.sum() != 0)  # reads a number back

        batches = Batches(waits, CudaCapture(), after=0)
        x = torch.ones(3, 2, device="cuda")
        stream = torch.cuda.current_stream()
        with pytest.warns(ShortcutWarning):
            assert torch.equal(batches(x), x)
        assert torch.cuda.current_stream() == stream
        assert torch.equal(batches(x), x)

    def test_the_network(self, eyed, generated):
        network = eyed.cuda()
        engine = TorchEngine(network)
        for n in (1, 5, 16, 33, 5, 16, 33, 5, 16, 33, 1, 1):
            chips = generated.chips(n, 64, seed=n)
            assert_same(engine.predict(chips), network.predict(chips), 0.03)
        assert set(engine._batches().captured) == {1, 8, 16, 32}

    def test_chips_out_of_range_are_refused_there(self, eyed):
        engine = TorchEngine(eyed.cuda())
        with pytest.raises(ValueError, match="divide 8-bit"):
            engine.predict(torch.full((2, 3, 64, 64), 200.0, device="cuda"))

    def test_threads(self, eyed, generated):
        engine = TorchEngine(eyed.cuda())
        given = [generated.chips(1 + i % 7, 64, seed=i) for i in range(30)]
        expected = [eyed.predict(chips) for chips in given]
        with ThreadPoolExecutor(4) as pool:
            for got, wanted in zip(pool.map(engine.predict, given), expected, strict=True):
                assert_same(got, wanted, 0.03)

    def test_another_stream_is_run_plainly(self, eyed, generated):
        engine = TorchEngine(eyed.cuda())
        chips = generated.chips(2, 64)
        expected = engine.predict(chips)
        with torch.cuda.stream(torch.cuda.Stream()):
            assert engine._batches() is None
            assert_same(engine.predict(chips), expected, 0.03)
