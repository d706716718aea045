"""Checkpoint files: round trips, strictness, and every kind of bad file."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from facemt_analysis.errors import CheckpointError
from facemt_analysis.network import (
    CONVENTIONS,
    ConfigError,
    FaceMultitask,
    ModelConfig,
    TensorMismatch,
    checkpoint_summary,
    load_checkpoint,
    save_checkpoint,
)


@pytest.fixture
def saved(tiny_config, filled, tmp_path) -> tuple[FaceMultitask, Path]:
    network = filled(tiny_config)
    return network, save_checkpoint(network, tmp_path / "tiny.safetensors", licence="MIT")


@pytest.fixture
def rewrite(saved) -> Callable[..., Path]:
    """Write the saved network again with tensors or metadata changed."""

    def write(
        change: Callable[[dict[str, torch.Tensor]], Any] = lambda tensors: None,
        metadata: dict[str, str] | None = None,
    ) -> Path:
        _, path = saved
        tensors = load_file(path)
        change(tensors)
        if metadata is None:
            with safe_open(path, "pt") as file:
                metadata = file.metadata()
        save_file(tensors, path, metadata=metadata)
        return path

    return write


def refused(path: Path, *told: str) -> CheckpointError:
    """Loading must fail with one line that names the file and says the given things."""
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    for what in told:
        assert what in message
    return caught.value


def same_predictions(a: FaceMultitask, b: FaceMultitask, chips: np.ndarray, atol: float) -> None:
    first, second = a.predict(chips), b.predict(chips)
    for field in ("au", "emotion", "valence", "arousal", "gaze", "pose", "mesh", "blendshapes"):
        np.testing.assert_allclose(getattr(first, field), getattr(second, field), atol=atol)


def test_round_trip(saved, generated):
    network, path = saved
    loaded = load_checkpoint(path)
    assert not loaded.training
    assert loaded.config == network.config
    assert loaded.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert loaded.metadata == {"format": "pt", "licence": "MIT"}
    for name, value in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name
    same_predictions(network, loaded, generated.chips(2), atol=0)


@pytest.mark.parametrize(
    "options",
    [
        {"gaze_bins": 12, "gaze_eye_roi": True},
        {"gaze_head_frame": True, "gaze_pose_6d": True},
        {"n_blendshape": 0, "gaze_hidden": 8},
    ],
)
def test_every_part_of_a_loaded_network_is_filled(
    options, tiny_config, filled, generated, tmp_path
):
    network = filled(ModelConfig.from_dict(tiny_config.to_dict() | options))
    loaded = load_checkpoint(save_checkpoint(network, tmp_path / "x.safetensors"))
    a, b = network.predict(generated.chips(1)), loaded.predict(generated.chips(1))
    np.testing.assert_array_equal(a.gaze, b.gaze)
    np.testing.assert_array_equal(a.au, b.au)


def test_the_safetensors_package_reads_what_we_write(saved):
    network, path = saved
    tensors = load_file(path)
    assert tensors.keys() == network.state_dict().keys()
    assert all(torch.equal(tensors[n], v) for n, v in network.state_dict().items())
    with safe_open(path, "pt") as file:
        assert json.loads(file.metadata()["config"]) == network.config.to_dict()


def test_the_same_network_gives_the_same_bytes(saved, tmp_path):
    network, path = saved
    again = save_checkpoint(network, tmp_path / "again.safetensors", licence="MIT")
    assert again.read_bytes() == path.read_bytes()


def test_half_precision_halves_the_file_and_is_read_as_float32(saved, tmp_path, generated):
    network, path = saved
    half = save_checkpoint(network, tmp_path / "half.safetensors", dtype=torch.float16)
    assert half.stat().st_size < 0.55 * path.stat().st_size
    loaded = load_checkpoint(half)
    assert {v.dtype for v in loaded.state_dict().values()} == {torch.float32, torch.int64}
    assert checkpoint_summary(half).dtypes == ("F16", "I64")
    same_predictions(network, loaded, generated.chips(1), atol=0.02)


def test_metadata_is_kept_passed_on_and_replaced(saved, tmp_path):
    network = load_checkpoint(saved[1])
    table = CONVENTIONS["face_multitask_v28"].to_json()
    path = save_checkpoint(
        network, tmp_path / "b.safetensors", conventions=table, training={"epochs": 3}
    )
    again = load_checkpoint(path)
    assert again.metadata == {
        "format": "pt",
        "licence": "MIT",
        "conventions": table,
        "training": '{"epochs": 3}',
    }
    path = save_checkpoint(again, tmp_path / "c.safetensors", licence="CC0", training=None)
    assert load_checkpoint(path).metadata.keys() == {"format", "licence", "conventions"}
    assert load_checkpoint(path).metadata["licence"] == "CC0"


def test_what_cannot_be_saved(saved, tmp_path):
    network, path = saved
    with pytest.raises(ValueError, match="`dtype`"):
        save_checkpoint(network, path, dtype=torch.int8)
    with pytest.raises(ValueError, match="`config`"):
        save_checkpoint(network, path, config="{}")
    with pytest.raises(ValueError, match="`odd`"):
        save_checkpoint(network, path, odd=object())
    with pytest.raises(CheckpointError, match="cannot be written"):
        save_checkpoint(network, tmp_path / "no" / "folder" / "x.safetensors")


def test_weights_that_the_type_cannot_hold_are_not_saved(saved):
    network, path = saved
    before = path.read_bytes()
    with torch.no_grad():
        network.lmk.mlp[0].weight[0, 0] = 1e6
    with pytest.raises(CheckpointError, match=r"lmk\.mlp\.0\.weight .*torch\.float16"):
        save_checkpoint(network, path, dtype=torch.float16)
    with torch.no_grad():
        network.lmk.mlp[0].weight[0, 0] = torch.nan
    with pytest.raises(CheckpointError, match=r"lmk\.mlp\.0\.weight .*torch\.float32"):
        save_checkpoint(network, path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(saved, monkeypatch):
    network, path = saved
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match=r"tiny\.safetensors cannot be written: No space"):
        save_checkpoint(network, path, licence="other")
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


# --- strictness -----------------------------------------------------------------------------


def test_missing_extra_misshapen_and_mistyped_tensors_are_all_named(rewrite):
    def spoil(tensors: dict[str, torch.Tensor]) -> None:
        del tensors["proj.weight"], tensors["sc.s"]
        tensors["cooccur.fc.0.weight"] = torch.zeros(2)
        tensors["pose.mlp.4.bias"] = torch.zeros(7)
        tensors["log_var_au"] = tensors["log_var_au"].to(torch.int32)

    error = refused(
        rewrite(spoil),
        "2 missing (proj.weight, sc.s)",
        "1 not expected (cooccur.fc.0.weight)",
        "1 of another shape (pose.mlp.4.bias: [7] instead of [6])",
        "1 of a wrong type (log_var_au: I32)",
    )
    assert isinstance(error, TensorMismatch)
    assert error.missing == ("proj.weight", "sc.s")
    assert error.unexpected == ("cooccur.fc.0.weight",)
    assert error.misshapen == ("pose.mlp.4.bias",)
    assert error.mistyped == ("log_var_au",)


def test_long_lists_are_drawn_together_with_exact_counts(rewrite):
    def spoil(tensors: dict[str, torch.Tensor]) -> None:
        for name in [n for n in tensors if n.startswith("afg.")]:
            del tensors[name]

    error = refused(rewrite(spoil), "120 missing", "afg.heads.*.*.running_mean (20×)")
    assert isinstance(error, TensorMismatch)
    assert len(error.missing) == 120
    assert len(str(error)) < 1000


def test_other_float_types_are_read(rewrite, saved, generated):
    network, path = saved

    def change(tensors: dict[str, torch.Tensor]) -> None:
        for number, (name, value) in enumerate(tensors.items()):
            if value.is_floating_point():
                tensors[name] = value.to((torch.float64, torch.bfloat16)[number % 2])

    rewrite(change)
    assert checkpoint_summary(path).dtypes == ("BF16", "F64", "I64")
    same_predictions(network, load_checkpoint(path), generated.chips(1), atol=0.2)


def test_weights_that_are_not_finite(rewrite):
    def spoil(tensors: dict[str, torch.Tensor]) -> None:
        tensors["sc.s"][0, 0] = torch.inf

    refused(rewrite(spoil), "sc.s", "NaN or infinite")


def test_a_file_that_does_not_fit_allocates_nothing(rewrite, tiny_config, monkeypatch):
    resource = pytest.importorskip("resource")
    large = ModelConfig.from_dict(
        tiny_config.to_dict() | {"backbone": "convnextv2_huge", "afg_channels": 4096}
    )
    path = rewrite(metadata={"config": json.dumps(large.to_dict())})

    def allocated(*args: Any, **options: Any) -> None:
        pytest.fail("weights were allocated for a file that does not fit")

    monkeypatch.setattr(torch.nn.Module, "to_empty", allocated)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert isinstance(refused(path), TensorMismatch)
    # kB; the network described would take 4 GB
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024


# --- configuration --------------------------------------------------------------------------


def test_no_configuration(rewrite):
    refused(rewrite(metadata={"licence": "MIT"}), "`config`", "licence")


@pytest.mark.parametrize("text", ["", "{", "nonsense", "[1, 2]", "null", "[" * 100_000])
def test_broken_configuration(rewrite, text):
    refused(rewrite(metadata={"config": text}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("use_head_v3", False),
        ("drop_mefl", False),
        ("afg_channels", 10**9),
        ("backbone", "vit_base_patch16_224"),
        ("gaze_eye_roi_size", 10**9),
        ("image_size", "large"),
    ],
)
def test_a_bad_field_of_the_configuration_is_named(rewrite, tiny_config, field, value):
    config = tiny_config.to_dict() | {field: value}
    error = refused(rewrite(metadata={"config": json.dumps(config)}), f"`{field}`")
    assert isinstance(error, ConfigError)


@pytest.mark.parametrize("text", ["", "[]", '{"name": "x"}'])
def test_broken_conventions(rewrite, tiny_config, text):
    metadata = {"config": json.dumps(tiny_config.to_dict()), "conventions": text}
    refused(rewrite(metadata=metadata), "Conventions")


def test_control_characters_of_a_file_do_not_get_into_the_message(rewrite):
    path = rewrite(lambda tensors: tensors.update({"a\x1b[2J\n": torch.zeros(1)}))
    assert str(refused(path, "1 not expected (a?[2J")).isprintable()


def test_missing_keys_take_defaults_and_unknown_ones_are_ignored(rewrite, saved):
    config = saved[0].config.to_dict()
    del config["gaze_bins"], config["knn_k"], config["gcn_layers"]
    path = rewrite(metadata={"config": json.dumps(config | {"option_of_v3": {"a": 1}})})
    assert load_checkpoint(path).config == saved[0].config


# --- files that are no checkpoints ----------------------------------------------------------


class Bomb:
    """Would leave a trace if it were ever unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return (Path.touch, (self.trace,))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_is_refused_unread(tmp_path, protocol):
    trace = tmp_path / "trace"
    path = tmp_path / "weights.safetensors"
    path.write_bytes(pickle.dumps(Bomb(trace), protocol=protocol))
    refused(path, "a pickle", "never opened")
    assert not trace.exists()


def test_a_torch_file_is_refused_unread(tmp_path):
    trace = tmp_path / "trace"
    path = tmp_path / "weights.pt"
    torch.save({"config": {}, "model": Bomb(trace)}, path)
    refused(path, "torch.save", "never opened")
    assert not trace.exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"{}", "bare JSON"),
        (b"x", "not a safetensors file"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "HTML"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n", "Git LFS"),
        (np.random.default_rng(0).bytes(4096), "not a safetensors file"),
        (struct.pack("<Q", 2**63) + b"{" + b" " * 100, "not a safetensors file"),
        (struct.pack("<Q", 20) + b"{" + b" " * 5, "cut off inside its header"),
        (struct.pack("<Q", 12) + b"{" + b"\xff" * 11, "not valid JSON"),
        (struct.pack("<Q", 12) + b'{"a":tru}   ', "not valid JSON"),
        (struct.pack("<Q", 200_006) + b'{"a":' + b"[" * 200_000 + b"}", "not valid JSON"),
        (struct.pack("<Q", 12) + b'{"a": 3}    ', "tensor 'a' is malformed"),
        (struct.pack("<Q", 24) + b'{"__metadata__": "text"}', "metadata"),
        (
            struct.pack("<Q", 61)
            + b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}       '
            + b"0000",
            "do not fit its shape",
        ),
        (
            struct.pack("<Q", 61)
            + b'{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}      '
            + b"0000",
            "malformed",
        ),
        (
            struct.pack("<Q", 71)
            + b'{"a":{"dtype":"F32","shape":[1000000],"data_offsets":[0,4000000]}}     '
            + b"0000",
            "3999996 of its 4000079 bytes are missing",
        ),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else None,
)
def test_files_of_other_kinds(tmp_path, content, told):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(content)
    refused(path, told)
    with pytest.raises(CheckpointError):
        checkpoint_summary(path)


def test_an_absurd_header_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "huge.safetensors"
    length = 2**30
    with path.open("wb") as file:
        file.write(struct.pack("<Q", length) + b"{")
        file.truncate(length + 100)  # sparse
    tracemalloc.start()
    refused(path, f"header of {length} bytes")
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_cut_off_files_of_every_length(saved):
    _, path = saved
    content = path.read_bytes()
    for length in (7, 8, 9, 500, 20_000, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        refused(path)


def test_a_gap_between_tensors_is_refused(saved):
    _, path = saved
    content = path.read_bytes()
    path.write_bytes(content + b"\0" * 64)
    refused(path, "damaged")


def test_absent_folder_and_forbidden(tmp_path):
    refused(tmp_path / "nothing.safetensors", "does not exist")
    refused(tmp_path, "folder")
    path = tmp_path / "forbidden.safetensors"
    path.write_bytes(b"x" * 100)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    refused(path, "cannot be read")


# --- summary --------------------------------------------------------------------------------


def test_summary(saved):
    network, path = saved
    summary = checkpoint_summary(path)
    assert summary.config == network.config
    assert summary.unsupported is None
    assert summary.licence == "MIT"
    assert summary.n_tensors == len(network.state_dict())
    assert summary.n_parameters == sum(p.numel() for p in network.parameters())
    assert summary.n_bytes == path.stat().st_size
    assert summary.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_summary_of_what_cannot_be_run(rewrite, tiny_config):
    path = rewrite(metadata={"config": json.dumps(tiny_config.to_dict() | {"drop_mefl": False})})
    summary = checkpoint_summary(path)
    assert summary.config is not None
    assert "`drop_mefl`" in str(summary.unsupported)
    path = rewrite(metadata={"licence": "MIT"})
    assert checkpoint_summary(path).config is None
    path = rewrite(metadata={"config": "{"})
    with pytest.raises(CheckpointError, match="not valid JSON"):
        checkpoint_summary(path)


def test_summary_needs_no_torch(saved):
    script = (
        "import sys\nfrom facemt_analysis.network import checkpoint_summary, conventions_for\n"
        "print(checkpoint_summary(sys.argv[1]).n_tensors, 'torch' in sys.modules)"
    )
    out = subprocess.run(
        [sys.executable, "-c", script, str(saved[1])], capture_output=True, text=True, check=True
    )
    assert out.stdout.split() == [str(len(saved[0].state_dict())), "False"]
