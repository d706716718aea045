"""The process in which the cases run: takes one JSON line per case, gives one per result.

Started by `fuzz.harness` in a folder of its own, which it must leave as it is but for `out`.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
import traceback
import warnings
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

__all__ = ["main"]

# events of the interpreter that start programs or reach the network (sys.audit)
_FORBIDDEN = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork",
              "socket.connect", "urllib.Request", "pickle.find_class", "ctypes.dlopen")  # fmt: skip
_CHANGES = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink",
            "os.truncate", "os.chmod", "shutil.rmtree")  # fmt: skip

# FFmpeg refuses blocks beyond 2 GiB as if memory had run out, without asking the system
_OWN_REFUSAL_KB = 100_000


class _Watch:
    """Notes what a case does that it must not."""

    def __init__(self, home: Path) -> None:
        self.allowed = (str(home / "out"), str(home / "tmp"), os.devnull)
        self.armed = False
        self.seen: list[str] = []

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.armed:
            return
        if event in _FORBIDDEN:
            self.seen.append(f"{event}{arguments!r:.200}")
        elif event == "open" and isinstance(arguments[0], (str, bytes)):
            path, mode, flags = arguments
            writes = isinstance(mode, str) and set(mode) & set("wax+")
            if writes or (flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                self._place(event, path)
        elif event in _CHANGES:
            self._place(event, arguments[0])

    def _place(self, event: str, path: str | bytes) -> None:
        if not os.path.abspath(os.fsdecode(path)).startswith(self.allowed):  # noqa: PTH100
            self.seen.append(f"{event} {os.fsdecode(path)}")


def main() -> None:
    """Answer cases until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)  # libraries may print; FFmpeg does

    from facemt_analysis.errors import FacemtError
    from fuzz.doors import DOORS, WrongResult, message_fault, warm_up

    if sys.argv[2]:
        warm_up()
    home = Path.cwd()
    watch = _Watch(home)
    sys.addaudithook(watch)
    used = _kilobytes("VmSize") * 1024
    room = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (used + room, used + room))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def run(case: dict[str, Any], before: int) -> dict[str, Any]:
        path = home / "in" / case["path"]
        outcome, detail = "bug", ""
        watch.seen.clear()
        watch.armed = True
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                outcome = DOORS[case["door"]](path, home / "out", Random(case["seed"]))
        except FacemtError as error:
            fault = message_fault(error, path)
            outcome, detail = ("bug", fault) if fault else ("error", str(error))
            if _out_of_memory(error) and _kilobytes("VmHWM") - before > _OWN_REFUSAL_KB:
                outcome, detail = "memory", f"refused only when memory ran out: {error}"
        except WrongResult as error:
            detail = str(error)
        except MemoryError:
            outcome, detail = "memory", traceback.format_exc()
        except BaseException:
            detail = traceback.format_exc()
        finally:
            watch.armed = False
        if watch.seen:
            outcome, detail = "elsewhere", "; ".join(watch.seen[:5])
        noise = [
            f"{w.category.__name__}: {w.message}"
            for w in caught
            if not w.category.__module__.startswith("facemt_analysis")
        ]
        return {"outcome": outcome, "detail": detail, "noise": noise}

    _say(answers, {"ready": True})
    for line in sys.stdin:
        before = _rested()
        start, began = time.process_time(), time.perf_counter()
        answer = run(json.loads(line), before)
        answer["cpu"] = time.process_time() - start
        answer["wall"] = time.perf_counter() - began
        answer["peak_mb"] = (_kilobytes("VmHWM") - before) / 1024
        _say(answers, answer)


def _say(answers: Any, content: dict[str, Any]) -> None:
    answers.write(json.dumps(content) + "\n")
    answers.flush()


def _kilobytes(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    return 0


def _rested() -> int:
    """Set the high-water mark of memory back to what is used now, and give that."""
    reset: BinaryIO
    with open("/proc/self/clear_refs", "wb") as reset:  # noqa: PTH123
        reset.write(b"5")
    return _kilobytes("VmRSS")


def _out_of_memory(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, MemoryError) or "memory" in type(error).__name__.lower():
            return True
        if "cannot allocate" in str(error).lower() or "out of memory" in str(error).lower():
            return True
        error = error.__cause__
    return False


if __name__ == "__main__":
    main()
