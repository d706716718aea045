"""A small sample of what benchmarks/fuzz.py runs by the thousands, and that its watch sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from fuzz import harness
from fuzz.harness import Case, Harness, Result, make_case
from fuzz.mutations import BYTE_MUTATIONS, TEXT_MUTATIONS
from fuzz.plan import KINDS, seeds_of
from fuzz.seeds import Seed
from fuzz.structure import mutate

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="measures memory as Linux tells it"
)

_CASES = {"media": 70, "files": 60}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("weights") / "small.safetensors"


@pytest.fixture(scope="module")
def worker(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    with Harness(tmp_path_factory.mktemp("fuzz"), weights) as started:
        yield started


@pytest.fixture(scope="module")
def seeds(
    worker: Harness, weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], list[Seed]]:
    made = {kind: seeds_of(kind, tmp_path_factory.mktemp(kind), weights) for kind in KINDS}
    return made.__getitem__


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_give_a_named_error_or_what_is_valid(
    worker: Harness, seeds: Callable[[str], list[Seed]], kind: str
) -> None:
    results = [
        worker.run_one(make_case(seeds(kind), f"{kind}-test", i)) for i in range(_CASES[kind])
    ]
    bad = [f"{r.case.label} {r.case.name} {r.case.door}: {r.detail}" for r in results if r.bad]
    assert not bad, "\n".join(bad)
    outcomes = [r.outcome for r in results]
    # damage that is always refused at the door, or never does anything, would test nothing
    assert 0.2 < outcomes.count("error") / len(outcomes) < 0.9


@pytest.mark.parametrize("kind", KINDS)
def test_intact_files_are_read(
    worker: Harness, seeds: Callable[[str], list[Seed]], kind: str
) -> None:
    for seed in {s.name: s for s in seeds(kind)}.values():
        if seed.name == "renamed.safetensors":  # a pickle
            continue
        for door in {seed.doors[0], *({"read_fex"} & set(seed.doors))}:
            result = worker.run_one(Case("intact:0", seed.name, seed.data, door, seed.beside))
            expected = ("frames", "table", "table, problems listed", "events", "network")
            assert result.outcome in expected, (seed.name, result.outcome, result.detail)


@pytest.mark.parametrize("kind", KINDS)
def test_a_case_follows_from_its_number(seeds: Callable[[str], list[Seed]], kind: str) -> None:
    cases = [[make_case(seeds(kind), "x", i) for i in range(15)] for _ in range(2)]
    assert cases[0] == cases[1]
    assert make_case(seeds(kind), "y", 0) != cases[0][0]


@pytest.mark.parametrize("mutation", [*dict.fromkeys((*BYTE_MUTATIONS, *TEXT_MUTATIONS)), mutate])
def test_mutations_take_any_bytes(mutation: Callable[[bytes, Random, bytes], bytes]) -> None:
    changed = 0
    files = (
        b"", b"a", b"1,2\n3,4\n", bytes(range(256)), b"\x89PNG\r\n\x1a\n", b"II*\0\x08\0\0\0",
        b"PAR1PAR1", b"\2\0\0\0\0\0\0\0{}", b"<?xml ?>", b"GIF89a",
    )  # fmt: skip
    for data in files:
        for i in range(20):
            changed += mutation(data, Random(i), b"other") != data
    assert changed > 50


# ------------------------------------------------------------------ what the watch sees
_SELF_TESTS = {
    "dies": "os.kill(os.getpid(), 11)",
    "hangs": "time.sleep(60)",
    "swells": "b'x' * 1_600_000_000",
    "elsewhere": "open('../beside.txt', 'w').close()",
    "programs": "os.system('true')",
    "raises": "{}[0]",
    "nameless": "raise FacemtError('something is wrong')",
    "lines": "raise FacemtError(f'{path.name}:\\nwrong')",
    "names": "raise FacemtError(f'{path.name}: wrong')",
}


@pytest.fixture(scope="module")
def self_test(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Result]]:
    """Run a line of Python in place of a reader."""
    with Harness(tmp_path_factory.mktemp("self"), weights=None) as started:
        yield lambda line: started.run_one(Case("self:0", "a.txt", line.encode(), "self_test", {}))


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("dies", "crash"), ("hangs", "hang"), ("swells", "memory"), ("elsewhere", "elsewhere"),
        ("programs", "elsewhere"), ("raises", "bug"), ("nameless", "bug"), ("lines", "bug"),
        ("names", "error"),
    ],
)  # fmt: skip
def test_the_watch(
    self_test: Callable[[str], Result], name: str, outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # on a busy machine filling memory takes seconds; sleeping is seen sooner
    monkeypatch.setattr(harness, "_LIMIT_SECONDS", 2.0 if name == "hangs" else 120.0)
    result = self_test(_SELF_TESTS[name])
    assert result.outcome == outcome, result.detail
    if name == "dies":
        assert result.detail == "SIGSEGV"
