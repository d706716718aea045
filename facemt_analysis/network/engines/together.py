"""Threads that share batches: what several hand in at the same time goes through at once.

A device does many faces in little more time than a few. Nobody waits by the clock: a thread that
finds no work under way begins at once, and what others hand in meanwhile is the next batch.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from facemt_analysis.network.config import Preprocess
from facemt_analysis.network.engines.engine import Engine
from facemt_analysis.network.output import Prediction
from facemt_analysis.network.preprocess import check_chips

__all__ = ["SharedEngine", "Together"]

Given = TypeVar("Given")
Result = TypeVar("Result")


class _Ticket(Generic[Given, Result]):
    """What a thread has handed in, and what became of it."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.done = False
        self.result: Result | None = None
        self.error: Exception | None = None

    def settle(self, result: Result | None = None, error: Exception | None = None) -> None:
        self.result, self.error, self.done = result, error, True


class Together(Generic[Given, Result]):
    """Gather what threads hand in into batches, which one of them runs for all.

    Parameters
    ----------
    run
        Gives one result for each of a list, independent of the others in it; never runs in two
        threads at once. If it fails for several, it is run for each alone, so that everybody gets
        their own result or error.
    most
        Greatest weight of a batch of several; halved when the memory of a device does not suffice.
    weigh
        Weight of what is handed in.
    kind
        Only what is of one kind is run together.

    Examples
    --------
    >>> double = Together(lambda numbers: [2 * n for n in numbers], most=8, weigh=lambda n: 1)
    >>> double(4)
    8
    """

    def __init__(
        self,
        run: Callable[[Sequence[Given]], Sequence[Result]],
        *,
        most: int,
        weigh: Callable[[Given], int],
        kind: Callable[[Given], Hashable] = lambda _: None,
    ) -> None:
        self._run = run
        self._most = most
        self._weigh = weigh
        self._kind = kind
        self._waiting: deque[_Ticket[Given, Result]] = deque()
        self._busy = False
        self._change = threading.Condition()

    def __call__(self, given: Given) -> Result:
        """Hand something in and wait for its result."""
        ticket: _Ticket[Given, Result] = _Ticket(given)
        with self._change:
            self._waiting.append(ticket)
        try:
            while self._batch_is_ours(ticket):
                self._run_a_batch()
        except BaseException:  # this thread ends: nobody need do its work
            with self._change:
                if ticket in self._waiting:
                    self._waiting.remove(ticket)
            raise
        if ticket.error is not None:
            raise ticket.error
        return ticket.result  # type: ignore[return-value]

    def _batch_is_ours(self, ticket: _Ticket[Given, Result]) -> bool:
        """Wait until this thread has to run the next batch, or its own work is done."""
        with self._change:
            self._change.wait_for(lambda: ticket.done or not self._busy)
            if ticket.done:
                return False
            self._busy = True
            return True

    def _run_a_batch(self) -> None:
        batch: list[_Ticket[Given, Result]] = []
        try:
            with self._change:
                batch = self._taken()
            self._settle(batch)
        finally:  # however it ended, the next one can begin
            with self._change:
                self._waiting.extendleft(reversed([t for t in batch if not t.done]))
                self._busy = False
                self._change.notify_all()

    def _taken(self) -> list[_Ticket[Given, Result]]:
        """Take the first that waits and as many of its kind as fit."""
        first = self._waiting.popleft()
        batch, left = [first], deque[_Ticket[Given, Result]]()
        kind, weight = self._kind(first.given), self._weigh(first.given)
        for ticket in self._waiting:
            heavier = weight + self._weigh(ticket.given)
            if heavier <= self._most and self._kind(ticket.given) == kind:
                batch.append(ticket)
                weight = heavier
            else:
                left.append(ticket)
        self._waiting = left
        return batch

    def _settle(self, batch: list[_Ticket[Given, Result]]) -> None:
        try:
            results = self._run([ticket.given for ticket in batch])
        except Exception as error:
            if len(batch) == 1:
                batch[0].settle(error=error)
                return
            if isinstance(error, torch.cuda.OutOfMemoryError):
                self._most = max(self._most // 2, 1)
        else:
            for ticket, result in zip(batch, results, strict=True):
                ticket.settle(result)
            return
        for ticket in batch:  # not above, where the error holds on to memory
            self._settle([ticket])


class SharedEngine:
    """An engine whose batches several threads fill.

    Parameters
    ----------
    engine
        What predicts.
    most
        Faces in a batch that is made of several.
    """

    def __init__(self, engine: Engine, most: int = 128) -> None:
        self.engine = engine
        self.name = engine.name
        self.threads = engine.threads
        self._together: Together[tuple[Tensor, Preprocess | None], Prediction] = Together(
            self._predict, most=most, weigh=lambda given: len(given[0]), kind=_kind
        )

    def predict(
        self, chips: Tensor | NDArray[np.floating], *, preprocess: Preprocess | None = None
    ) -> Prediction:
        """Predict from face chips; see `FaceMultitask.predict`."""
        return self._together((check_chips(chips), preprocess))

    def _predict(self, given: Sequence[tuple[Tensor, Preprocess | None]]) -> list[Prediction]:
        preprocess = given[0][1]
        if len(given) == 1:
            return [self._in_pieces(given[0][0], preprocess)]
        counts = [len(chips) for chips, _ in given]
        together = self.engine.predict(
            torch.cat([chips for chips, _ in given]), preprocess=preprocess
        )
        ends = np.cumsum(counts).tolist()
        return [
            together.part(slice(end - count, end)) for end, count in zip(ends, counts, strict=True)
        ]

    def _in_pieces(self, chips: Tensor, preprocess: Preprocess | None) -> Prediction:
        """Predict, in smaller pieces where the memory of the device does not suffice."""
        try:
            return self.engine.predict(chips, preprocess=preprocess)
        except torch.cuda.OutOfMemoryError:
            if len(chips) == 1:
                raise
        halves = torch.tensor_split(chips, 2)
        return Prediction.concatenate([self._in_pieces(half, preprocess) for half in halves])


def _kind(given: tuple[Tensor, Preprocess | None]) -> Hashable:
    chips, preprocess = given
    return tuple(chips.shape[1:]), chips.device, preprocess
