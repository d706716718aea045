"""The same work again and again, at a few fixed sizes: captured once, then replayed.

A GPU is through with the many small steps of a network before the next one has been called for.
CUDA can capture the steps for inputs of one size at one place in memory, and replay them in one
call. So inputs are copied to that place, padded to the next size, and results are copied from it.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from facemt_analysis.network.shortcut import Shortcut

__all__ = ["SIZES", "Batches", "Capture", "Captured", "CudaCapture", "padded_parts"]

SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
"""Batch sizes that are captured."""
_AFTER = 2  # calls of a size that are run plainly: a few pictures are not worth a capture
_SMALL = 16  # so few inputs take a GPU about as long as fewer

Run = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Captured:
    """Work on one place in memory.

    Parameters
    ----------
    input
        Where the inputs are to be put, (size, …).
    output
        Where the results are then, one row per input.
    replay
        Does the work.
    """

    input: Tensor
    output: Tensor
    replay: Callable[[], None]


Capture = Callable[[Run, Tensor], Captured]
"""From a function and a place for its inputs to work that can be replayed."""


def padded_parts(n: int, sizes: Sequence[int] = SIZES) -> Iterator[tuple[int, int]]:
    """Cut a number of inputs into parts: how many, and the size they are padded to.

    >>> list(padded_parts(5)), list(padded_parts(37)), list(padded_parts(300))
    ([(5, 8)], [(32, 32), (5, 8)], [(128, 128), (128, 128), (44, 64)])
    """
    while n > 0:
        size = min((s for s in sizes if s >= n), default=max(sizes))
        if size > _SMALL and n < 0.6 * size:  # padding would cost nearly as much as it carries
            size = max((s for s in sizes if s <= n), default=size)
        part = min(n, size)
        yield part, size
        n -= part


class Batches:
    """A function that is captured at a few batch sizes.

    Several threads may call it; one at a time is served. Where something cannot be captured, it is
    run as it is from then on.

    Parameters
    ----------
    run
        Turns inputs (n, …) of one shape and kind into rows (n, k), each from its own input alone,
        always with the same steps.
    capture
        Makes what is replayed.
    sizes
        Batch sizes.
    after
        The first calls of each size are run as they are.
    """

    def __init__(
        self, run: Run, capture: Capture, sizes: Sequence[int] = SIZES, after: int = _AFTER
    ) -> None:
        self.captured: dict[int, Captured] = {}
        self._run = run
        self._capture = capture
        self._sizes = tuple(sizes)
        self._after = after
        self._asked: Counter[int] = Counter()
        self._turn = threading.Lock()
        self._way = Shortcut("replaying the network (CUDA graphs)", self._replayed, run)

    @torch.inference_mode()
    def __call__(self, x: Tensor) -> Tensor:
        """Give the rows."""
        return self._way(x)

    def _replayed(self, x: Tensor) -> Tensor:
        rows, first = [], 0
        with self._turn:
            try:
                for n, size in padded_parts(len(x), self._sizes):
                    rows.append(self._part(x[first : first + n], size))
                    first += n
            except RuntimeError:
                self.captured.clear()  # gives its memory to the plain way
                raise
        return rows[0] if len(rows) == 1 else torch.cat(rows)

    def _part(self, x: Tensor, size: int) -> Tensor:
        work = self.captured.get(size)
        if work is None:
            self._asked[size] += 1
            if self._asked[size] <= self._after:
                return self._run(x)
            place = x.new_zeros((size, *x.shape[1:]))
            work = self.captured[size] = self._capture(self._run, place)
        work.input[: len(x)].copy_(x)
        work.input[len(x) :].zero_()
        work.replay()
        return work.output[: len(x)].clone()


# torch allows one capture at a time in a process
_CAPTURING = threading.Lock()


class CudaCapture:
    """Captures CUDA graphs, which share the memory for what lies between input and output.

    Sharing is safe here: results are copied before the next graph is replayed.
    """

    def __init__(self) -> None:
        self._pool: Any = None
        self._stream: torch.cuda.Stream | None = None

    def __call__(self, run: Run, place: Tensor) -> Captured:
        """Capture a function; see `Capture`."""
        with _CAPTURING, torch.cuda.device(place.device):
            if self._pool is None or self._stream is None:
                self._pool = torch.cuda.graph_pool_handle()
                self._stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            here, aside = torch.cuda.current_stream(), self._stream
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.stream(here):  # comes back here from a capture that fails, too
                # libraries set themselves up in the first runs, which must not be captured
                aside.wait_stream(here)
                with torch.cuda.stream(aside):
                    for _ in range(3):
                        run(place)
                here.wait_stream(aside)
                # other threads may go on using the card
                with torch.cuda.graph(
                    graph, pool=self._pool, stream=aside, capture_error_mode="thread_local"
                ):
                    output = run(place)
        return Captured(place, output, graph.replay)
