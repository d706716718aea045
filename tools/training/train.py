"""Train a network of the face_multitask_v2 format from labelled chips, or go on from a checkpoint.

Run the same command again after an interruption: it goes on from the last epoch. Under ``torchrun
--nproc-per-node N`` each process takes batches of its own and their gradients are averaged: on a
busy machine, N processes of one thread lose less time than one process of N threads.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import json
import math
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import depthwise
import grn
import numpy as np
import torch
import torch.distributed as dist
from augment import Jitter, augment, centred
from eyes import EyeReadings
from losses import Scores, Tasks
from muon import Muon, hidden_matrices
from shards import Shards

from facemt_analysis.network import (
    Conventions,
    FaceMultitask,
    ModelConfig,
    conventions_for,
    load_checkpoint,
    save_checkpoint,
)
from facemt_analysis.simulate.mesh import canonical_mesh

# Raw outputs of a network trained here are the Fex columns themselves, in the network's order.
CONVENTIONS = Conventions("facemt_open", Roll=(2, 1))


def build(args: argparse.Namespace) -> FaceMultitask:
    """Load the network to go on from, or make a new one with random weights."""
    if args.init:
        given = load_checkpoint(args.init)
        if args.image_size in (None, given.config.image_size):
            return given.train()  # whole, with the modules that `EyeReadings` listens to
        # no tensor's shape depends on the size of the input
        model = FaceMultitask(dataclasses.replace(given.config, image_size=args.image_size))
        model.load_state_dict(given.state_dict())
        model.metadata = given.metadata
        return model
    torch.manual_seed(args.seed)
    return FaceMultitask(
        ModelConfig.from_dict(
            {
                "backbone": args.backbone,
                "image_size": args.image_size or 128,
                "n_au": 20,
                "n_emotion": 7,
                "n_blendshape": 52,
                "mesh_normalized": True,
                "afg_channels": args.width,
                "mefl_channels": args.width,
                "unified_lmk_dim": 64,
                "use_head_v3": True,
                "drop_mefl": True,
                "emotion_use_au_prob": True,
                "drop_path_rate": 0.0,
                "emotion_head_dropout": 0.1,
                "gaze_eye_roi": args.eyes,
                "gaze_eye_dim": 64,
                "gaze_hidden": 64,
            }
        )
    )


class ExactLinear(torch.nn.Linear):
    """A layer in float32 whatever autocast says: 8 bits are too few for a mesh of 128 px."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (…, in) to float32 (…, out)."""
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float())


@torch.no_grad()
def start_from_means(model: FaceMultitask, data: Shards) -> None:
    """Give new weights a start from which they learn at once.

    The last bias of each regression head becomes the mean label: otherwise the first thing all
    features learn is to be constant, and they stay so for long. Kernels get unit gain instead of
    the standard deviation of 0.02 that suits pre-training at a large scale.
    """
    for module in model.backbone.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
            fan_in = module.weight[0].numel()
            torch.nn.init.trunc_normal_(module.weight, std=fan_in**-0.5)
    batch = data.batch(np.arange(0, len(data), max(len(data) // 512, 1)))
    means = {field: batch[field].nanmean(0) for field in ("mesh", "pose", "blendshapes")}
    scale = 1.0 if model.config.mesh_normalized else float(model.config.image_size)
    mesh = scale * (means["mesh"] + torch.tensor([0.5, 0.5, 0.0])) / batch["image"].shape[-1]
    starts = [
        (model.lmk.mlp[-1].bias, mesh.flatten()),
        (model.pose.mlp[-1].bias[:3], means["pose"]),
    ]
    if model.blendshape is not None:
        level = means["blendshapes"].clamp(0.003, 0.997)
        starts.append((model.blendshape.mlp[-1].bias, torch.logit(level)))
    for bias, start in starts:
        if not start.isnan().any():  # the task has labels
            bias.copy_(start)


def parameter_groups(
    model: FaceMultitask, decay: float, apart: Sequence[torch.nn.Parameter] = ()
) -> list[dict[str, object]]:
    """Weight decay for matrices and kernels, none for norms, biases and task weights."""
    others = {id(p) for p in apart}
    named = [(n, p) for n, p in model.named_parameters() if id(p) not in others]
    plain = [p for n, p in named if p.ndim < 2 or n.startswith("log_var")]
    decayed = [p for n, p in named if not (p.ndim < 2 or n.startswith("log_var"))]
    return [{"params": decayed, "weight_decay": decay}, {"params": plain, "weight_decay": 0.0}]


def learning_rate(done: float, peak: float, warm: float = 0.02) -> float:
    """Linear warm-up, then half a cosine to one percent; `done` is the share of the training."""
    if done < warm:
        return peak * max(done / warm, 0.01)
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (done - warm) / (1 - warm))))


@torch.no_grad()
def follow(average: FaceMultitask, model: FaceMultitask, decay: float) -> None:
    """Move the averaged weights towards the current ones."""
    current = model.state_dict()
    for name, value in average.state_dict().items():
        if value.dtype.is_floating_point:
            value.lerp_(current[name].to(value.dtype), 1 - decay)
        else:
            value.copy_(current[name])


@torch.inference_mode()
def evaluate(
    model: FaceMultitask, data: Shards, jitter: Jitter, batch: int, conventions: Conventions
) -> dict[str, float]:
    """Score the averaged weights on held-out faces."""
    model.eval()
    config = model.config
    scale = 1.0 if config.mesh_normalized else float(config.image_size)
    scores = Scores(mesh_scale=scale, conventions=conventions)
    for first in range(0, len(data), batch):
        faces = centred(data.batch(np.arange(first, min(first + batch, len(data)))), jitter)
        scores.add(model(model.prepare(faces["image"])), faces)
    return scores.summary()


def average_gradients(parameters: list[torch.nn.Parameter]) -> None:
    """Give every process the mean of all processes' gradients."""
    flat = torch.cat(
        [(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in parameters]
    )
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for p, mean in zip(parameters, flat.split([p.numel() for p in parameters]), strict=True):
        p.grad = mean.view_as(p) if mean.any() else None  # None: no process has such labels


def save_state(path: Path, **state: object) -> None:
    """Write atomically: an interruption never leaves half a file."""
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shards", nargs="+", type=Path, required=True, help="training faces")
    parser.add_argument("--held-out", nargs="*", type=Path, default=[], help="faces to score on")
    parser.add_argument("--out", type=Path, required=True, help="the .safetensors file to write")
    parser.add_argument("--init", type=Path, help="checkpoint to go on from")
    parser.add_argument("--backbone", default="convnextv2_atto")
    parser.add_argument("--image-size", type=int, help="default: 128, or that of --init")
    parser.add_argument("--width", type=int, default=128, help="channels of the projection")
    parser.add_argument("--eyes", action="store_true", help="gaze from features pooled at the eyes")
    parser.add_argument("--tasks", nargs="+", help="learn these only, as mesh gaze (default: all)")
    parser.add_argument(
        "--emphasis", nargs="+", default=[], metavar="TASK=FACTOR", help="as emotion=3 au=2"
    )
    parser.add_argument(
        "--balance", type=float, default=0.0, help="emotions learned as common as in the labels "
        "(0) … as all alike (1)",
    )  # fmt: skip
    parser.add_argument(
        "--margin", type=float, default=1.0, help="side of a stored chip / canonical side"
    )
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--epoch-faces", type=int, help="faces per epoch (default: all)")
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--decay", type=float, default=0.05)
    parser.add_argument("--muon", action="store_true", help="Muon for the backbone's matrices")
    parser.add_argument("--average", type=float, default=0.998, help="decay of the weight average")
    parser.add_argument(
        "--jitter", type=float, nargs=2, default=(0.05, 0.03), metavar=("SCALE", "SHIFT")
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument(
        "--bf16", action="store_true", help="feature maps in bfloat16 (for GPUs, and CPUs with AMX)"
    )
    parser.add_argument("--compile", action="store_true", help="torch.compile the backbone")
    parser.add_argument("--half", action="store_true", help="write float16: half the size")
    parser.add_argument("--licence", default="unknown", help="licence written into the file")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    rank, processes = 0, int(os.environ.get("WORLD_SIZE", 1))
    if processes > 1:
        dist.init_process_group("gloo")
        rank = dist.get_rank()
    torch.set_flush_denormal(True)  # tiny gradients and moments would slow a CPU tenfold

    model = build(args).to(args.device, memory_format=torch.channels_last)
    if not args.init:
        start_from_means(model, Shards(args.shards))
    average = copy.deepcopy(model)
    if args.device == "cpu":
        depthwise.install(model.backbone)
        grn.install(model.backbone)
    if args.bf16:
        model.lmk.mlp[-1].__class__ = ExactLinear
    if args.compile:  # block by block: few kinds of blocks, and `EyeReadings` hears the stages
        for stage in range(4):
            for block in getattr(model.backbone, f"stages_{stage}").blocks:
                block.compile(dynamic=False)
    held_out = Shards(args.held_out) if args.held_out else None
    vertices = torch.from_numpy(canonical_mesh().mirror.copy())
    jitter = Jitter(model.config.image_size, args.margin, *args.jitter)
    still = Jitter(model.config.image_size, args.margin, 0, 0, 0)
    # a network trained on keeps the conventions it has
    conventions = conventions_for(model.metadata, args.init.name) if args.init else CONVENTIONS
    usual = None
    if args.balance:
        shares = Shards(args.shards, n_emotion=model.config.n_emotion).how_common()
        usual = (args.balance * shares.clamp_min(1e-6).log()).to(args.device)
    emphasis = {task: float(factor) for task, factor in (e.split("=") for e in args.emphasis)}
    tasks = Tasks(model, conventions, usual=usual, emphasis=emphasis)
    matrices = hidden_matrices(model.backbone) if args.muon else []
    optimiser = torch.optim.AdamW(
        parameter_groups(model, args.decay, matrices), lr=args.lr, betas=(0.9, 0.999), fused=True
    )
    readings, learners = None, [optimiser]
    if matrices:
        learners.append(Muon(matrices, lr=args.lr, decay=args.decay))
    if model.config.gaze_eye_roi:
        readings = EyeReadings(model).to(args.device)
        learners.append(torch.optim.AdamW(readings.parameters(), lr=args.lr))
    learned = [*model.parameters(), *(readings.parameters() if readings else ())]
    state_path = args.out.with_suffix(".training.pt")
    epoch, steps, history = 0, 0, []
    if state_path.exists():
        state = torch.load(state_path, weights_only=True)
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        for learner, kept in zip(learners, state["learners"], strict=True):
            learner.load_state_dict(kept)
        if readings:
            readings.load_state_dict(state["readings"])
        epoch, steps = state["epoch"], state["steps"]
        history = json.loads(state["history"])
        print(f"going on after epoch {epoch}")
    low = torch.autocast(args.device.split(":")[0], torch.bfloat16, enabled=args.bf16)

    while epoch < args.epochs:
        # read again each time: shards may still be coming in
        data = Shards(args.shards, n_au=model.config.n_au, n_emotion=model.config.n_emotion)
        steps_per_epoch = min(len(data), args.epoch_faces or len(data)) // args.batch // processes
        began, seen, sums = time.time(), 0, {}
        rng = np.random.default_rng([args.seed, epoch, rank])
        seed = (args.seed * 100_003 + epoch) * 64 + rank
        generator = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)  # of dropout
        model.train()
        for step, faces in enumerate(data.epoch(args.batch, rng, steps_per_epoch * args.batch)):
            faces = augment(faces, jitter, vertices, generator)
            faces = {k: v.to(args.device) for k, v in faces.items()}
            rate = learning_rate((epoch + step / steps_per_epoch) / args.epochs, args.lr)
            for group in (g for learner in learners for g in learner.param_groups):
                group["lr"] = rate
            x = model.prepare(faces["image"]).contiguous(memory_format=torch.channels_last)
            with low:
                out = model(x)
            losses = tasks.losses(out, faces)
            if args.tasks:
                losses = {task: loss for task, loss in losses.items() if task in args.tasks}
            total = tasks.total(losses)
            if readings:
                scale = 1.0 if model.config.mesh_normalized else float(model.config.image_size)
                losses["eyes"] = tasks.eyes(readings(out.mesh / scale), faces)
                total = total + losses["eyes"]
            for learner in learners:
                learner.zero_grad(set_to_none=True)
            total.backward()
            if processes > 1:
                average_gradients(learned)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
            for learner in learners:
                learner.step()
            follow(average, model, min(args.average, (steps + 1) / (steps + 10)))
            steps += 1
            seen += len(x) * processes
            if step % 20 == 19 and rank == 0:
                said = {k: round(v / (step + 1), 3) for k, v in sums.items()}
                print(f"  {step + 1}/{steps_per_epoch} {said}", file=sys.stderr, flush=True)
            for task, loss in losses.items():
                sums[task] = sums.get(task, 0.0) + loss.item()
        epoch += 1
        if rank > 0:
            continue
        row: dict[str, object] = {
            "epoch": epoch,
            "lr": rate,
            "faces_per_second": seen / (time.time() - began),
        }
        row["loss"] = {task: total_loss / steps_per_epoch for task, total_loss in sums.items()}
        if held_out is not None:
            row["held_out"] = evaluate(average, held_out, still, args.batch, conventions)
        history.append(row)
        print(json.dumps(row), flush=True)
        save_state(
            state_path, model=model.state_dict(), average=average.state_dict(),
            learners=[learner.state_dict() for learner in learners], epoch=epoch, steps=steps,
            history=json.dumps(history), readings=readings.state_dict() if readings else {},
        )  # fmt: skip
        summary = {
            "epochs": epoch, "faces": len(data), "batch": args.batch, "lr": args.lr,
            "seed": args.seed, "balance": args.balance, "emphasis": emphasis,
            "data": data.summary(), "held_out": row.get("held_out"),
        }  # fmt: skip
        save_checkpoint(
            average.eval(),
            args.out,
            dtype=torch.float16 if args.half else torch.float32,
            conventions=conventions.to_json(),
            licence=args.licence,
            training=summary,
        )


if __name__ == "__main__":
    main()
