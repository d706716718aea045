"""Reading and writing tables of faces: one file per format.

Names are loaded when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from facemt_analysis.io.bids import write_bids
    from facemt_analysis.io.dataset import (
        dataset_recordings,
        recording_file,
        recording_name,
        write_dataset,
    )
    from facemt_analysis.io.describe import FexFile, describe_fex
    from facemt_analysis.io.events import read_events, write_events
    from facemt_analysis.io.nwb import write_nwb
    from facemt_analysis.io.openface import read_openface
    from facemt_analysis.io.parquet import ParquetWriter, write_parquet
    from facemt_analysis.io.pyfeat import read_pyfeat, to_pyfeat
    from facemt_analysis.io.pyfeat_v1 import to_pyfeat_v1
    from facemt_analysis.io.reading import is_fex, read_fex

__all__ = [
    "FexFile",
    "ParquetWriter",
    "dataset_recordings",
    "describe_fex",
    "is_fex",
    "read_events",
    "read_fex",
    "read_openface",
    "read_pyfeat",
    "recording_file",
    "recording_name",
    "to_pyfeat",
    "to_pyfeat_v1",
    "write_bids",
    "write_dataset",
    "write_events",
    "write_nwb",
    "write_parquet",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "bids": ["write_bids"],
        "dataset": ["dataset_recordings", "recording_file", "recording_name", "write_dataset"],
        "describe": ["FexFile", "describe_fex"],
        "events": ["read_events", "write_events"],
        "nwb": ["write_nwb"],
        "openface": ["read_openface"],
        "parquet": ["ParquetWriter", "write_parquet"],
        "pyfeat": ["read_pyfeat", "to_pyfeat"],
        "pyfeat_v1": ["to_pyfeat_v1"],
        "reading": ["is_fex", "read_fex"],
    },
)
