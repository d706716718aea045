"""Write the sample study of `facemt_analysis.datasets`.

    python tools/make_sample_study.py

The native writer's encoding is for measured numbers; these are rounded, so a dictionary is smaller.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from facemt_analysis.datasets import make_sample_study

OUT = Path(__file__).parents[1] / "facemt_analysis/datasets/data/sample_study.parquet"


def main() -> None:
    fex, _ = make_sample_study()
    with tempfile.TemporaryDirectory() as folder:
        fex.to_parquet(Path(folder) / "study.parquet")
        table = pq.read_table(Path(folder) / "study.parquet")
    OUT.parent.mkdir(exist_ok=True)
    pq.write_table(table, OUT, compression="zstd", compression_level=19, use_dictionary=True)
    print(f"{OUT}: {len(fex)} rows, {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
