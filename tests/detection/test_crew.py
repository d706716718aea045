"""Threads that work in order and leave torch's settings alone."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Iterator

import pytest
import torch

from facemt_analysis.detection import crew as module
from facemt_analysis.detection.crew import Crew


def test_results_come_in_order_whatever_takes_how_long() -> None:
    def run(n: int) -> int:
        time.sleep(0.02 if n % 2 else 0.0)
        return n

    with Crew(3) as crew:
        assert list(crew.ordered(run, range(12), weight=lambda n: 1)) == list(range(12))


def test_threads_keep_to_one_core_and_the_caller_keeps_its_own() -> None:
    usual = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with Crew(2) as crew:
            inside = list(
                crew.ordered(lambda _: torch.get_num_threads(), range(4), weight=lambda _: 1)
            )
        assert inside == [1, 1, 1, 1]
        assert torch.get_num_threads() == 2
        seen: list[int] = []
        later = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
        later.start()
        later.join()
        assert seen == [2]  # threads of others begin as before
    finally:
        torch.set_num_threads(usual)


def test_an_error_reaches_the_caller_and_ends_the_crew() -> None:
    before = threading.active_count()

    def run(n: int) -> int:
        if n == 3:
            raise ValueError("the third")
        return n

    with Crew(2) as crew, pytest.raises(ValueError, match="the third"):
        list(crew.ordered(run, range(100), weight=lambda n: 1))
    assert threading.active_count() == before


@pytest.mark.parametrize(("weight", "most"), [(1, 3), (1000, 1), (500, 2)])
def test_jobs_under_way_are_bounded(
    monkeypatch: pytest.MonkeyPatch, weight: int, most: int
) -> None:
    monkeypatch.setattr(module, "_AHEAD_BYTES", 1000)
    taken = given = largest = 0

    def jobs() -> object:
        nonlocal taken
        for n in range(20):
            taken += 1
            yield n

    with Crew(3) as crew:
        for _ in crew.ordered(lambda n: n, jobs(), weight=lambda _: weight):
            largest = max(largest, taken - 1 - given)
            given += 1
    assert given == 20
    assert largest <= most


def test_no_more_jobs_are_held_than_are_under_way() -> None:
    class Heavy:
        pass

    alive: weakref.WeakSet[Heavy] = weakref.WeakSet()
    most = 0

    def jobs() -> Iterator[Heavy]:
        nonlocal most
        for _ in range(20):
            most = max(most, len(alive))
            job = Heavy()
            alive.add(job)
            yield job
            del job

    with Crew(2) as crew:
        for result in crew.ordered(lambda job: [job], jobs(), weight=lambda _: 1):
            del result
    assert 1 <= most <= 2
