"""Finders: whose turn it is, and frames of several threads that go through a detector at once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from facemt_analysis.detection.choices import choose_batch_size, choose_threads
from facemt_analysis.detection.faces import Framing
from facemt_analysis.detection.measuring import Finder
from facemt_analysis.detection.media import Frame
from facemt_analysis.errors import OptionError


class Slow:
    """Sees one face, as high as the frame is bright."""

    name = "slow"
    framing = Framing()
    thread_safe = False

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.most_inside = 0
        self._inside = 0
        self._lock = threading.Lock()

    def detect(self, frames):
        with self._lock:
            self._inside += 1
            self.most_inside = max(self.most_inside, self._inside)
            self.calls.append(len(frames))
        time.sleep(0.003)
        with self._lock:
            self._inside -= 1
        return [np.array([[0, 0, 1, 1 + f[0, 0, 0], 0.9]], np.float32) for f in frames]


class Sharing(Slow):
    thread_safe = True
    shares_batches = 8 * 8 * 5


def frames(number: int) -> list[Frame]:
    return [
        Frame(i, i / 25, np.full((8, 8, 3), (number + i) % 200, np.uint8))
        for i in range(number % 4)
    ]


@pytest.mark.parametrize("kind", [Slow, Sharing])
def test_each_thread_gets_the_boxes_of_its_frames(kind):
    detector = kind()
    find = Finder(detector, 0.5)
    given = [frames(n) for n in range(40)]
    with ThreadPoolExecutor(5) as pool:
        for asked, found in zip(given, pool.map(find, given), strict=True):
            heights = [boxes[0, 3] - 1 for boxes in found]
            assert heights == [frame.image[0, 0, 0] for frame in asked]
    assert detector.most_inside == 1
    if kind is Sharing:
        assert 3 < max(detector.calls) <= 5
    else:
        assert max(detector.calls) == 3


def test_what_is_left_open_depends_on_the_device():
    cpu, card = torch.device("cpu"), torch.device("cuda")
    assert (choose_batch_size(None, cpu), choose_batch_size(None, card)) == (16, 64)
    assert choose_batch_size(5, card) == 5
    assert choose_threads(None, cpu) == torch.get_num_threads()
    assert choose_threads(None, card) == min(4, torch.get_num_threads())
    assert choose_threads(7, card) == 7
    for choose in (choose_batch_size, choose_threads):
        with pytest.raises(OptionError, match="at least 1"):
            choose(0, card)
