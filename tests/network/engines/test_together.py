"""Threads that share batches get their own results, errors included, and never wait for nothing."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from facemt_analysis.network import Prediction
from facemt_analysis.network.engines import TorchEngine
from facemt_analysis.network.engines.together import SharedEngine, Together

LONG = 20.0  # seconds after which something hangs


class Held:
    """Doubles numbers, but only when it is let; keeps the batches it was given."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun = threading.Semaphore(0)
        self.let = threading.Semaphore(0)

    def __call__(self, numbers):
        self.batches.append(list(numbers))
        self.begun.release()
        assert self.let.acquire(timeout=LONG)
        if any(n < 0 for n in numbers):
            raise ValueError(f"below 0: {min(numbers)}")
        return [2 * n for n in numbers]

    def gather(self, together, first, others):
        """Hand in one, and the others while that is under way; give the results."""
        with ThreadPoolExecutor(1 + len(others)) as pool:
            futures = [pool.submit(together, first)]
            assert self.begun.acquire(timeout=LONG)
            for n, other in enumerate(others, 1):  # in order
                futures.append(pool.submit(together, other))
                wait_until(lambda n=n: len(together._waiting) == n)
            for _ in range(30):
                self.let.release()
            return [future.exception(LONG) or future.result() for future in futures]


def wait_until(condition) -> None:
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_one_thread_is_served_at_once_and_alone():
    batches = []

    def run(numbers):
        batches.append(list(numbers))
        return [2 * n for n in numbers]

    together = Together(run, most=10, weigh=lambda n: 1)
    assert [together(n) for n in range(3)] == [0, 2, 4]
    assert batches == [[0], [1], [2]]


def test_what_is_handed_in_meanwhile_is_the_next_batch():
    held = Held()
    together = Together(held, most=3, weigh=lambda n: 1)
    assert held.gather(together, 1, [2, 3, 4, 5, 6]) == [2, 4, 6, 8, 10, 12]
    assert held.batches == [[1], [2, 3, 4], [5, 6]]


def test_batches_are_of_one_kind_and_bounded_but_what_is_too_heavy_goes_alone():
    held = Held()
    together = Together(held, most=10, weigh=lambda n: n, kind=lambda n: n % 2)
    assert held.gather(together, 1, [3, 2, 5, 8, 25, 4]) == [2, 6, 4, 10, 16, 50, 8]
    assert sorted(map(sorted, held.batches)) == [[1], [2, 8], [3, 5], [4], [25]]


def test_everybody_gets_their_own_error():
    held = Held()
    together = Together(held, most=9, weigh=lambda n: 1)
    first, good, bad, other = held.gather(together, 1, [2, -3, 4])
    assert (first, good, other) == (2, 4, 8)
    assert isinstance(bad, ValueError)
    assert str(bad) == "below 0: -3"
    held.let.release()
    assert together(5) == 10  # and it goes on


def test_a_thread_that_is_ended_leaves_the_work_of_others_to_them():
    class Ended(BaseException):
        pass

    held = Held()
    hits = []

    def run(numbers):
        if 2 in numbers and not hits:
            hits.append(list(numbers))
            raise Ended
        return held(numbers)

    together = Together(run, most=9, weigh=lambda n: 1)
    results = held.gather(together, 1, [2, 3, 4])
    # whoever ran that batch was ended; all others have their results
    assert hits == [[2, 3, 4]]
    ended = [k for k, result in enumerate(results) if isinstance(result, Ended)]
    assert len(ended) == 1
    assert [r for k, r in enumerate(results) if k not in ended] == [
        2 * n for k, n in enumerate([1, 2, 3, 4]) if k not in ended
    ]
    assert not together._waiting


def test_many_threads_and_many_calls():
    sizes = []

    def run(numbers):
        sizes.append(len(numbers))
        time.sleep(0.0005)
        if 77 in numbers:
            raise ValueError("77")
        return [n * n for n in numbers]

    together = Together(run, most=5, weigh=lambda n: 1)

    def one(n):
        try:
            return together(n)
        except ValueError:
            return None

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(one, range(400), timeout=LONG))
    assert results == [None if n == 77 else n * n for n in range(400)]
    assert 1 < max(sizes) <= 5


def test_batches_get_smaller_when_memory_does_not_suffice():
    held = Held()

    def run(numbers):
        if len(numbers) > 2:
            raise torch.cuda.OutOfMemoryError
        return held(numbers)

    together = Together(run, most=5, weigh=lambda n: 1)
    assert held.gather(together, 1, [2, 3, 4, 5, 6, 7, 8, 9]) == [2 * n for n in range(1, 10)]
    assert held.batches == [[1], [2], [3], [4], [5], [6], [7, 8], [9]]


# --- faces --------------------------------------------------------------------------------------


@pytest.fixture
def network(tiny_config, filled):
    return filled(tiny_config)


def test_threads_that_share_a_network_get_their_own_faces(network, generated):
    counts = []

    class Counted(TorchEngine):
        def predict(self, chips, *, preprocess=None):
            counts.append(len(chips))
            time.sleep(0.002)
            return super().predict(chips, preprocess=preprocess)

    network.warm()
    engine = SharedEngine(Counted(network), most=12)
    assert (engine.name, engine.threads) == ("torch", None)
    given = [generated.chips(i % 5, 64 if i % 3 else 72, seed=i) for i in range(30)]
    with ThreadPoolExecutor(4) as pool:
        for chips, got in zip(given, pool.map(engine.predict, given), strict=True):
            wanted = network.predict(chips)
            for field in Prediction.__dataclass_fields__:
                a, b = getattr(got, field), getattr(wanted, field)
                np.testing.assert_allclose(a, b, rtol=0, atol=1e-5, err_msg=field)
    assert max(counts) <= 12
    assert len(counts) < 30  # some were shared


def test_what_is_wrong_is_told_to_who_handed_it_in(network, generated):
    engine = SharedEngine(TorchEngine(network))
    with pytest.raises(ValueError, match="divide 8-bit"):
        engine.predict(np.full((1, 3, 64, 64), 200.0))
    with pytest.raises(ValueError, match="'resize' or 'crop'"):
        engine.predict(torch.from_numpy(generated.chips(1)), preprocess="shrink")
    assert len(engine.predict(generated.chips(2, 64))) == 2


def test_faces_go_in_pieces_when_memory_does_not_suffice(network, generated):
    counts = []

    class Small(TorchEngine):
        def predict(self, chips, *, preprocess=None):
            counts.append(len(chips))
            if len(chips) > self.room:
                raise torch.cuda.OutOfMemoryError("no room")
            return super().predict(chips, preprocess=preprocess)

    chips = generated.chips(7, 64)
    small = Small(network)
    small.room = 2
    got, wanted = SharedEngine(small).predict(chips), network.predict(chips)
    assert counts == [7, 4, 2, 2, 3, 2, 1]
    np.testing.assert_allclose(got.mesh, wanted.mesh, atol=1e-5)
    small.room = 0
    with pytest.raises(torch.cuda.OutOfMemoryError, match="no room"):
        SharedEngine(small).predict(chips)
