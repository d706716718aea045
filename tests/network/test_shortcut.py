"""A faster way that fails is left out, with one warning and the same results."""

from __future__ import annotations

import warnings

import pytest
import torch

from facemt_analysis.network import transfer
from facemt_analysis.network.shortcut import Shortcut, ShortcutWarning


def test_the_fast_way_is_gone_while_it_works():
    way = Shortcut("it", lambda x, *, by: ("fast", x * by), lambda x, *, by: ("plain", x * by))
    assert way(2, by=3) == ("fast", 6)
    assert way.works


def test_the_first_failure_is_told_and_the_last():
    tried = []

    def fast(x):
        tried.append(x)
        if x > 1:
            raise torch.cuda.OutOfMemoryError("out of\n memory")
        return "fast"

    way = Shortcut("going by card", fast, lambda x: "plain")
    assert way(1) == "fast"
    with pytest.warns(ShortcutWarning, match=r"^Going by card failed .* out of memory$") as told:
        assert way(2) == "plain"
    assert len(told) == 1
    assert told[0].filename == __file__  # who called
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert way(1) == "plain"
    assert tried == [1, 2]


def test_what_is_wrong_with_the_arguments_is_not_a_failure():
    def fast(x):
        raise ValueError("no such face")

    way = Shortcut("it", fast, lambda x: x)
    with pytest.raises(ValueError, match="no such face"):
        way(1)
    assert way.works


def test_where_no_memory_can_be_locked_any_will_do(monkeypatch):
    def page_locked(shape, dtype):
        raise RuntimeError("cannot be locked")

    monkeypatch.setattr(transfer, "_pinned", Shortcut("locking", page_locked, transfer._pageable))
    with pytest.warns(ShortcutWarning, match="Locking failed"):
        held = transfer.staging((3, 2), torch.uint8, torch.device("cuda"))
    assert (held.shape, held.dtype, held.device.type) == ((3, 2), torch.uint8, "cpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_what_goes_to_cuda_is_page_locked():
    device = torch.device("cuda")
    held = transfer.staging((1000,), torch.float32, device)
    assert held.is_pinned()
    held.copy_(torch.arange(1000.0))
    assert torch.equal(transfer.send(held, device).cpu(), torch.arange(1000.0))


def test_on_a_cpu_nothing_is_copied():
    device = torch.device("cpu")
    held = transfer.staging((4,), torch.float32, device)
    assert transfer.send(held, device) is held
