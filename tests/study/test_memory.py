"""What the settings of the C library do to a process, as the C library and the kernel tell."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


def _is_glibc() -> bool:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (AttributeError, ValueError):
        return False


needs_glibc = pytest.mark.skipif(not _is_glibc(), reason="the C library is not glibc")

_START = """
import ctypes, re, sys, threading
from facemt_analysis.study.memory import give_back, keep_small

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes, libc.memset.argtypes = [ctypes.c_void_p], [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]

def resident():
    status = open("/proc/self/status").read()
    return int(re.search(r"VmRSS:\\s+(\\d+)", status)[1]) / 1024

def filled(size):
    place = libc.malloc(size)
    libc.memset(place, 1, size)
    return place
"""  # noqa: E501
_HEAPS = """
libc.fdopen.restype, libc.fdopen.argtypes = ctypes.c_void_p, [ctypes.c_int, ctypes.c_char_p]
libc.malloc_info.argtypes, libc.fclose.argtypes = [ctypes.c_int, ctypes.c_void_p], [ctypes.c_void_p]
said = keep_small()
together = threading.Barrier(4)

def work():
    together.wait()
    places = [filled(5000) for _ in range(50)]
    together.wait()
    for place in places:
        libc.free(place)

threads = [threading.Thread(target=work) for _ in range(4)]
[t.start() for t in threads], [t.join() for t in threads]
import tempfile
with tempfile.TemporaryFile() as file:
    import os
    stream = libc.fdopen(os.dup(file.fileno()), b"w")
    libc.malloc_info(0, stream)
    libc.fclose(stream)
    file.seek(0)
    print(said, file.read().count(b"<heap nr="))
"""
_AMID = """
places = [filled(100_000) for _ in range(1000)]
full = resident()
for place in places[:-1]:  # the last one holds the end of the heap
    libc.free(place)
kept = resident()
said = give_back()
print(said, full - kept > 50, full - resident() > 50)
"""


def _told(code: str, **settings: str) -> list[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "GLIBC_TUN"))}
    done = subprocess.run(
        [sys.executable, "-c", _START + code],
        capture_output=True, text=True, check=True, env={**clean, **settings}, timeout=120,
    )  # fmt: skip
    return done.stdout.split()


@needs_glibc
def test_threads_share_one_heap() -> None:
    assert _told(_HEAPS) == ["True", "1"]
    without = _told(_HEAPS.replace("said = keep_small()", "said = None"))
    assert int(without[1]) > 1


@needs_glibc
def test_what_the_environment_says_stays() -> None:
    said, heaps = _told(_HEAPS, MALLOC_ARENA_MAX="3")
    assert said == "False"
    assert int(heaps) > 1


@needs_glibc
def test_free_memory_amid_the_heap_is_given_back() -> None:
    assert _told(_AMID) == ["True", "False", "True"]


def test_other_c_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from facemt_analysis.study import memory

    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _: object())
    assert not memory.keep_small()
    assert not memory.give_back()
    monkeypatch.setattr(memory.sys, "platform", "darwin")
    assert not memory.keep_small()
    assert not memory.give_back()
