"""A film made by repeating a piece, through the open weights: the table is right, memory flat."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import facemt_analysis as fm

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        not (ROOT / "benchmarks" / "films.py").is_file(), reason="benchmarks are not shipped"
    ),
]

# Films and detection as benchmarks/long_recording.py does them, in parts of 60 frames
RUN = """
import json, re, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import torch
from films import looped
from facemt_analysis.demo.running import CLIP
from facemt_analysis import cli
from facemt_analysis.detection import units
from facemt_analysis.study import job

torch.set_num_threads(1)
units._FRAMES = job._FRAMES = 60  # a multiple of the distance of looks
usual, memory = job.Parts.add, []

def add(self, *arguments):
    usual(self, *arguments)
    status = Path("/proc/self/status")
    if status.exists():
        memory.append(int(re.search(r"VmRSS:\\s+(\\d+)", status.read_text())[1]) / 1024)

job.Parts.add = add
film = looped(CLIP, Path(sys.argv[2]) / "film.mp4", seconds=20, size=(320, 240), piece=4)
out = str(Path(sys.argv[2]) / "study")
assert cli.main(["detect", str(film), "-o", out, "--weights", "open", "-q"]) == 0
print(json.dumps(memory))
"""


def test_a_film_of_repetitions(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN, ROOT / "benchmarks", tmp_path],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    fex = fm.read_fex(tmp_path / "study")
    assert len(fex) == 500
    np.testing.assert_array_equal(fex["frame"], np.arange(500))
    np.testing.assert_allclose(fex["time"], np.arange(500) / 25, atol=1e-6)
    assert fex["track"].unique().tolist() == [0]
    # each repetition shows what the first did, but for the detector's looks at other frames
    smile = fex["AU12"].to_numpy().reshape(5, 100)
    assert np.corrcoef(smile)[0, 1:].min() > 0.9
    memory = json.loads(done.stdout.splitlines()[-1])
    if memory:  # a picture kept of each frame would be 15 MB a part
        assert len(memory) == 9
        assert max(memory[4:]) - max(memory[1:4]) < 30, memory
