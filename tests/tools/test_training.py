"""The training tools: shards, missing labels, resuming, fine-tuning; on drawn faces."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from facemt_analysis import schema
from facemt_analysis.network import (
    CONVENTIONS,
    FaceMultitask,
    ModelConfig,
    load_checkpoint,
    save_checkpoint,
)
from facemt_analysis.simulate import AUS

TOOLS = Path(__file__).parents[2] / "tools" / "training"
BLEND = {name: k for k, name in enumerate(schema.BLENDSHAPES)}


@pytest.fixture(scope="module")
def shard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty faces of the avatar; the last ten have no affect labels."""
    from facemt_analysis.simulate import avatar_asset, sample_face

    folder = tmp_path_factory.mktemp("cache") / "0000"
    folder.mkdir()
    rng = np.random.default_rng(3)
    faces = [sample_face(rng, [avatar_asset()], size=48) for _ in range(40)]
    fields = {
        "image": np.stack([f.rendered.image for f in faces]),
        "mesh": np.stack([f.rendered.mesh for f in faces]).astype(np.float32),
        "pose": np.stack([f.rendered.pose for f in faces]).astype(np.float32),
        "gaze": np.stack([f.rendered.gaze for f in faces]).astype(np.float32),
        "au": np.stack([f.rendered.aus for f in faces]).astype(np.float32),
        "emotion": np.stack([f.emotion for f in faces]).astype(np.float32),
        "va": np.stack([f.affect for f in faces]).astype(np.float32),
    }
    fields["va"][30:] = np.nan
    for name, values in fields.items():
        np.save(folder / f"{name}.npy", values)
    (folder / "manifest.json").write_text(json.dumps({"kind": "rendered", "count": 40}))
    return folder


@pytest.fixture
def train(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], one_thread: None
) -> Iterator[Callable[..., list[str]]]:
    """Run train.py with some arguments; gives the lines it printed."""
    module = importlib.import_module("train")

    def run(*arguments: object) -> list[str]:
        given = ["train.py", *map(str, arguments), "--threads", "1"]
        monkeypatch.setattr(sys, "argv", given)
        module.main()
        return capsys.readouterr().out.splitlines()

    yield run
    torch.set_flush_denormal(False)


def test_a_run_can_be_taken_up_again(
    shard: Path, tmp_path: Path, train: Callable[..., list[str]]
) -> None:
    out = tmp_path / "new.safetensors"
    given = ["--shards", shard, "--held-out", shard, "--out", out, "--image-size", 32,
             "--width", 16, "--batch", 8, "--licence", "MIT", "--half"]  # fmt: skip
    rows = [json.loads(line) for line in train(*given, "--epochs", 1)]
    assert [r["epoch"] for r in rows] == [1]
    assert set(rows[0]["loss"]) == {"mesh", "pose", "gaze", "au", "emotion", "va"}
    assert "AU F1 at 0.5 (macro)" in rows[0]["held_out"]
    said = train(*given, "--epochs", 2)
    assert said[0] == "going on after epoch 1"
    model = load_checkpoint(out)
    assert model.metadata["licence"] == "MIT"
    assert json.loads(model.metadata["training"])["epochs"] == 2
    assert json.loads(model.metadata["conventions"])["name"] == "facemt_open"

    tuned = tmp_path / "tuned.safetensors"
    only_va = tmp_path / "va" / "0000"
    only_va.mkdir(parents=True)
    for name in ("image.npy", "va.npy", "manifest.json"):
        (only_va / name).write_bytes((shard / name).read_bytes())
    train("--init", out, "--shards", only_va, "--out", tuned, "--epochs", 1, "--batch", 8)
    larger = tmp_path / "larger.safetensors"
    train("--init", out, "--shards", shard, "--out", larger, "--epochs", 1, "--batch", 8,
          "--image-size", 64, "--epoch-faces", 8)  # fmt: skip
    assert load_checkpoint(larger).config.image_size == 64
    after = load_checkpoint(tuned)
    before, now = model.state_dict(), after.state_dict()
    assert torch.equal(before["pose.mlp.4.weight"], now["pose.mlp.4.weight"])
    assert not torch.equal(before["emotion.va_head.weight"], now["emotion.va_head.weight"])
    assert after.config == model.config


def test_a_broken_run_ends_as_an_unbroken_one(
    shard: Path,
    tmp_path: Path,
    train: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = importlib.import_module("train")
    given = ["--shards", shard, "--image-size", 32, "--width", 16, "--batch", 8, "--epochs", 2,
             "--epoch-faces", 16, "--eyes", "--muon"]  # fmt: skip
    whole, broken = tmp_path / "whole.safetensors", tmp_path / "broken.safetensors"
    train(*given, "--out", whole)

    def save_and_stop(
        *arguments: Any, real: Callable[..., None] = module.save_state, **state: Any
    ) -> None:
        real(*arguments, **state)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "save_state", save_and_stop)
        with pytest.raises(KeyboardInterrupt):
            train(*given, "--out", broken)
    train(*given, "--out", broken)
    one, other = load_checkpoint(whole).state_dict(), load_checkpoint(broken).state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_muon_steps_are_as_long_in_all_directions() -> None:
    muon = importlib.import_module("muon")
    torch.manual_seed(0)
    kernel = torch.nn.Parameter(torch.zeros(24, 10, 2, 2))
    u, _, vt = torch.linalg.svd(torch.randn(24, 40), full_matrices=False)
    kernel.grad = (u * torch.logspace(0, -1.5, 24) @ vt).view_as(kernel)
    muon.Muon([kernel], lr=0.01, momentum=0.0).step()
    step = kernel.detach().flatten(1)
    lengths = torch.linalg.svdvals(step) / (0.01 * 0.2 * 40**0.5)
    assert 0.6 < lengths.min() < lengths.max() < 1.3
    # against the gradient, in its own directions
    along = -(u.T @ step @ vt.T) / (0.01 * 0.2 * 40**0.5)
    assert along.diagonal().min() > 0.5
    assert (along - torch.diag(along.diagonal())).abs().max() < 0.1


def test_muon_is_for_layers_that_mix_channels() -> None:
    muon = importlib.import_module("muon")
    config = ModelConfig.v25(backbone="convnextv2_atto", image_size=32, afg_channels=16)
    backbone = FaceMultitask(config).backbone
    chosen = {id(p) for p in muon.hidden_matrices(backbone)}
    names = [name for name, p in backbone.named_parameters() if id(p) in chosen]
    assert sum(".mlp.fc" in name for name in names) == 2 * 12  # two of each block
    assert sorted(name for name in names if ".mlp.fc" not in name) == [
        f"stages_{k}.downsample.1.weight" for k in (1, 2, 3)
    ]


def test_missing_labels_have_no_loss(shard: Path) -> None:
    losses, shards = importlib.import_module("losses"), importlib.import_module("shards")
    config = ModelConfig.v25(backbone="convnextv2_atto", image_size=32, afg_channels=16,
                             unified_lmk_dim=8)  # fmt: skip
    model = FaceMultitask(config)
    tasks = losses.Tasks(model, CONVENTIONS["face_multitask_v2"])
    data = shards.Shards([shard])
    batch = data.batch(np.arange(24, 40))
    batch["mesh"] /= 48
    out = model(torch.nn.functional.interpolate(batch["image"], 32))
    full = tasks.losses(out, batch)
    assert "blendshape" not in full  # the shard has none
    batch["gaze"][:] = np.nan
    assert set(full) - set(tasks.losses(out, batch)) == {"gaze"}
    # a face without a label counts as if it were not there
    kept = {k: v[:6] for k, v in batch.items()}
    first = type(out)(*(None if o is None else o[:6] for o in out))
    assert tasks.losses(first, kept)["va"].item() == pytest.approx(
        4 * (first.valence_arousal - kept["va"]).square().mean().item(), rel=1e-5
    )


def test_disagreement_is_one_less_concordance_and_skips_what_is_missing() -> None:
    losses = importlib.import_module("losses")
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(50, 3))
    said = 0.5 * truth + rng.normal(scale=0.3, size=(50, 3)) + 0.2
    truth[:, 2] = 0.4  # does not vary: not counted
    truth[::7, 0] = np.nan
    expected = []
    for i in (0, 1):
        x, y = (v[~np.isnan(truth[:, i]), i] for v in (said, truth))
        both = 2 * np.cov(x, y, bias=True)[0, 1]
        expected.append(1 - both / (x.var() + y.var() + (x.mean() - y.mean()) ** 2))
    got = losses._disagreement(torch.from_numpy(said), torch.from_numpy(truth))
    assert got.item() == pytest.approx(np.mean(expected), rel=1e-4)


def test_shape_loss_does_not_see_where_the_face_is(shard: Path) -> None:
    losses, shards = importlib.import_module("losses"), importlib.import_module("shards")
    a, b = losses.shape_pairs()
    mesh = shards.Shards([shard]).batch(np.arange(2))["mesh"]
    moved = mesh + torch.tensor([5.0, -3.0, 0.0])
    assert torch.allclose(mesh[:, a] - mesh[:, b], moved[:, a] - moved[:, b], atol=1e-4)
    assert len({frozenset(pair) for pair in zip(a.tolist(), b.tolist(), strict=True)}) == len(a)


def test_labels_are_merged_where_the_teacher_sees(tmp_path: Path) -> None:
    """A teacher whose smile and eyes follow what was drawn, and who knows nothing else."""
    merge = importlib.import_module("merge_labels")
    rng = np.random.default_rng(0)
    n = 400
    drawn = rng.random((n, 20))
    drawn[:, merge.SHUT] *= 0.2
    gaze = rng.normal(0, 0.2, (n, 2))
    blend = np.zeros((n, 52))
    smile, look = AUS.index("AU12"), ("eyeLookOutRight", "eyeLookInLeft")
    blend[:, BLEND["mouthSmileLeft"]] = 0.3 + 0.5 * drawn[:, smile] + rng.normal(0, 0.1, n)
    blend[:, [BLEND[name] for name in look]] = 0.5 + gaze[:, 1:]
    blend[:, BLEND["eyeLookUpLeft"]] = 0.5 + gaze[:, 0]
    blend[5] = np.nan  # the teacher found no face
    rendered, photographs, bent = (tmp_path / name for name in ("0000", "photographs", "4000"))
    for folder, fields in (
        (rendered, {"au": drawn, "gaze": gaze, "blendshapes": blend}),
        (photographs, {"blendshapes": blend[:5]}),
        (bent, {"au": drawn[:5], "blendshapes": blend[:5]}),
    ):
        folder.mkdir()
        for name, values in fields.items():
            np.save(folder / f"{name}.npy", values)
    maps = merge.fit([rendered])
    assert maps["r"][smile] > 0.7
    assert np.delete(np.abs(maps["r"]), smile).max() < merge.WORTH
    for folder in (rendered, photographs, bent):
        merge.merge(folder, maps)
    target = np.load(rendered / "target_au.npy")
    np.testing.assert_allclose(np.delete(target, smile, 1), np.delete(drawn, smile, 1), atol=1e-6)
    np.testing.assert_allclose(target[5], drawn[5], atol=1e-6)
    assert np.corrcoef(np.delete(target[:, smile], 5), np.delete(drawn[:, smile], 5))[0, 1] > 0.9
    np.testing.assert_allclose(np.load(rendered / "target_gaze.npy"), gaze, atol=0.03)
    np.testing.assert_array_equal(np.load(bent / "target_au.npy"), target[:5])
    assert {path.name for path in bent.glob("target_*")} == {"target_au.npy"}
    assert np.isnan(np.load(photographs / "target_au.npy")).sum() == 5 * 19
    np.testing.assert_allclose(np.load(photographs / "target_emotion.npy").sum(1), 1, rtol=1e-5)


def test_conventions_of_the_network_are_kept(shard: Path) -> None:
    losses, shards = importlib.import_module("losses"), importlib.import_module("shards")
    config = ModelConfig.v25(backbone="convnextv2_atto", image_size=32, afg_channels=16,
                             unified_lmk_dim=8)  # fmt: skip
    model = FaceMultitask(config).eval()
    batch = shards.Shards([shard]).batch(np.arange(4))
    with torch.no_grad():
        out = model(torch.nn.functional.interpolate(batch["image"], 32))
    pose, gaze = losses.angles(out, CONVENTIONS["face_multitask_v28"])
    assert torch.equal(pose, out.pose[:, :3] * torch.tensor([-1.0, 1.0, -1.0]))
    assert torch.equal(gaze, out.gaze.flip(1) * torch.tensor([-1.0, 1.0]))


def test_mirror_images_are_consistent(shard: Path) -> None:
    augment, shards = importlib.import_module("augment"), importlib.import_module("shards")
    from facemt_analysis.simulate import canonical_mesh

    vertices = torch.from_numpy(canonical_mesh().mirror.copy())
    batch = shards.Shards([shard]).batch(np.arange(5))
    batch["blendshapes"] = torch.rand(5, len(schema.BLENDSHAPES))
    yes = torch.ones(5, dtype=torch.bool)
    once = augment.mirror(batch, yes, vertices)
    assert torch.equal(once["pose"][:, 1], -batch["pose"][:, 1])
    assert torch.equal(once["gaze"][:, 0], batch["gaze"][:, 0])
    left, right = (schema.BLENDSHAPES.index(f"mouthSmile{s}") for s in ("Left", "Right"))
    assert torch.equal(once["blendshapes"][:, left], batch["blendshapes"][:, right])
    # the subject's right eye is still on the left of the picture
    assert (once["mesh"][:, 33, 0] < once["mesh"][:, 263, 0]).all()
    twice = augment.mirror(once, yes, vertices)
    for name in ("image", "mesh", "pose", "gaze", "blendshapes"):
        assert torch.allclose(twice[name], batch[name], atol=1e-4)


def test_crops_keep_points_on_their_pixels(shard: Path) -> None:
    augment, shards = importlib.import_module("augment"), importlib.import_module("shards")
    batch = shards.Shards([shard]).batch(np.arange(3))
    batch["image"] = torch.zeros_like(batch["image"])
    batch["image"][:, :, 20, 30] = 1.0  # a lit pixel where vertex 0 is
    batch["mesh"][:, 0, :2] = torch.tensor([30.0, 20.0])
    jitter = augment.Jitter(96, 1.0, 0.05, 0.03, 0.0)
    cut = augment.crop(batch, jitter, torch.Generator().manual_seed(0))
    for image, mesh in zip(cut["image"], cut["mesh"], strict=True):
        rows, columns = torch.nonzero(image[0] > 0.5 * image[0].max(), as_tuple=True)
        centre = torch.stack([columns.float().mean(), rows.float().mean()]) + 0.5
        assert torch.allclose(mesh[0, :2] * 96, centre, atol=1.0)


def test_own_table_becomes_a_shard(face_image: Path, tmp_path: Path) -> None:
    table = pd.DataFrame({"image": [str(face_image), str(face_image)], "AU12": [0.2, None],
                          "valence": [0.5, -0.5], "arousal": [None, 0.1]})  # fmt: skip
    table.to_csv(tmp_path / "labels.csv", index=False)
    done = subprocess.run(
        [sys.executable, str(TOOLS / "shards_from_table.py"), str(tmp_path / "labels.csv"),
         "--out", str(tmp_path / "mine")],
        capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "PYTHONPATH": str(TOOLS.parents[1])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    shards = importlib.import_module("shards")
    batch = shards.Shards([tmp_path / "mine"]).batch(np.arange(2))
    au12 = schema.au_columns(20).index("AU12")
    assert batch["au"][0, au12] == pytest.approx(0.2)
    assert torch.isnan(batch["au"]).sum() == 39
    assert batch["va"][1].tolist() == pytest.approx([-0.5, 0.1])
    assert batch["image"].shape == (2, 3, 144, 144)


def test_a_balanced_fit_is_not_drawn_to_the_common_class() -> None:
    """Overlapping classes, one in twenty-five of them rare: the true border lies in the middle."""
    refit = importlib.import_module("refit_emotion")
    rng = np.random.default_rng(0)
    truth = (rng.random(20_000) < 0.04).astype(int)
    x = torch.from_numpy(rng.normal(3 * truth[:, None] - 1.5, 2.0, (len(truth), 1))).float()
    target = torch.from_numpy(np.eye(2)[truth]).float()
    border = {}
    for balance in (0.0, 1.0):
        weight, bias = refit.fit(x, target, balance=balance, decay=0.0)
        border[balance] = float((bias[0] - bias[1]) / (weight[1, 0] - weight[0, 0]))
    assert border[1.0] == pytest.approx(0.0, abs=0.15)
    # by Bayes' rule the plain fit's border is where 3 x / sd² makes up for the odds of 24 to 1
    assert border[0.0] == pytest.approx(4 / 3 * np.log(24), abs=0.3)
    found = refit.recalls(x @ weight.T + bias, target)
    assert found["Neutral"] == pytest.approx(0.773, abs=0.03)  # normal: 1.5 / 2 beyond the mean
    assert found["Happy"] == pytest.approx(0.773, abs=0.03)
    assert found["balanced accuracy"] == pytest.approx((found["Neutral"] + found["Happy"]) / 2)


def test_a_refit_changes_the_emotion_head_alone(
    shard: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    one_thread: None,
) -> None:
    refit = importlib.import_module("refit_emotion")
    config = ModelConfig.v25(backbone="convnextv2_atto", image_size=32, afg_channels=16,
                             unified_lmk_dim=8)  # fmt: skip
    torch.manual_seed(0)
    init, out = tmp_path / "init.safetensors", tmp_path / "out.safetensors"
    save_checkpoint(FaceMultitask(config), init, training={"epochs": 3}, licence="MIT")
    given = ["refit_emotion.py", "--init", init, "--shards", shard, "--held-out", shard,
             "--out", out, "--views", 1, "--threads", 1]  # fmt: skip
    monkeypatch.setattr(sys, "argv", [*map(str, given)])
    refit.main()
    scores = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert scores["after"]["balanced accuracy"] > scores["before"]["balanced accuracy"]
    before, after = load_checkpoint(init), load_checkpoint(out)
    changed = {
        name for name, value in after.state_dict().items()
        if not torch.equal(value, before.state_dict()[name])
    }  # fmt: skip
    assert changed == {"emotion.cls_head.weight", "emotion.cls_head.bias"}
    assert after.metadata["licence"] == "MIT"
    training = json.loads(after.metadata["training"])
    assert training["epochs"] == 3
    assert training["refits"][0]["held_out"] == [pytest.approx(scores["after"])]


def test_places_are_not_rounded_to_bfloat16() -> None:
    from train import ExactLinear

    torch.manual_seed(0)
    layer = torch.nn.Linear(8, 5)
    x = torch.randn(3, 8).bfloat16()
    wanted = layer(x.float())
    layer.__class__ = ExactLinear
    with torch.autocast("cpu", torch.bfloat16):
        got = layer(x)
    assert got.dtype == torch.float32
    torch.testing.assert_close(got, wanted)
