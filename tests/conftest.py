"""Shared test material: small generated weights, and films of a face that is nobody."""

from __future__ import annotations

import importlib.util
import json
import signal
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

DATA = Path(__file__).parent / "data"
SHARED = Path(__file__).parents[2] / "shared"


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with real media and tables; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("needs ../shared, real media and tables that are not part of the repository")
    return SHARED


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Let SIGINT interrupt, here and in children, even where pytest runs in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Keep torch from competing with the other tests for cores."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def small_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoint of the smallest backbone, its values generated from the tensors' names."""
    import torch

    from facemt_analysis.network import FaceMultitask, ModelConfig, save_checkpoint

    generated = _module(DATA / "network" / "generated.py")
    description = json.loads((DATA / "network" / "v25_atto.json").read_text())
    model = FaceMultitask(ModelConfig.from_dict(description["config"]))
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    values = {k: torch.from_numpy(v) for k, v in generated.fill(shapes).items()}
    model.load_state_dict(values)
    path = tmp_path_factory.mktemp("weights") / "generated_atto.safetensors"
    return save_checkpoint(model, path, licence="none, generated")


@pytest.fixture(scope="session")
def draw_scene() -> Callable[..., np.ndarray]:
    """Draw the avatar, once or several times, into a frame (240, 320, 3) uint8."""
    from facemt_analysis.simulate import avatar_asset, render

    avatar = avatar_asset()

    def draw(
        *places: tuple[int, int], side: int = 150, frame: tuple[int, int] = (240, 320),
        **expression: object,
    ) -> np.ndarray:  # fmt: skip
        picture = np.full((*frame, 3), 140, np.uint8)
        face = render(avatar, size=side, **expression).image
        for x, y in places:
            picture[y : y + side, x : x + side] = face
        return picture

    return draw


@pytest.fixture(scope="session")
def write_video() -> Callable[..., Path]:
    """Encode frames with known timestamps."""
    import av

    def write(path: Path, frames: list[np.ndarray], *, rate: int = 10, **options: str) -> Path:
        with av.open(str(path), "w", options=options) as container:
            stream = container.add_stream("libx264", rate=rate)
            stream.height, stream.width = frames[0].shape[:2]
            stream.pix_fmt = "yuv420p"
            stream.options = {"crf": "12", "preset": "veryfast"}
            stream.time_base = Fraction(1, rate)
            for i, pixels in enumerate(frames):
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                frame.pts = i
                frame.time_base = Fraction(1, rate)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return write


@pytest.fixture(scope="session")
def face_frames(draw_scene: Callable[..., np.ndarray]) -> list[np.ndarray]:
    """Twelve frames: the avatar drifts to the right, and is absent in frames 5 and 6."""
    return [draw_scene(*([(60 + 4 * i, 40)] if i not in (5, 6) else [])) for i in range(12)]


@pytest.fixture(scope="session")
def face_video(
    face_frames: list[np.ndarray], write_video: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:  # fmt: skip
    """Those frames at 10 Hz in an MP4 file."""
    return write_video(tmp_path_factory.mktemp("video") / "avatar.mp4", face_frames)


@pytest.fixture(scope="session")
def cut_video(
    draw_scene: Callable[..., np.ndarray], write_video: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:  # fmt: skip
    """An MP4 file of 12 frames that ends in the middle; its index is at the beginning."""
    rng = np.random.default_rng(1)
    frames = []
    for i in range(12):  # grain, so that every frame takes room in the file
        scene = draw_scene((60 + 4 * i, 40)).astype(np.int16)
        frames.append((scene + rng.integers(-8, 9, scene.shape)).clip(0, 255).astype(np.uint8))
    folder = tmp_path_factory.mktemp("cut")
    whole = write_video(folder / "whole.mp4", frames, movflags="faststart").read_bytes()
    path = folder / "cut.mp4"
    path.write_bytes(whole[: int(len(whole) * 0.6)])
    return path


@pytest.fixture(scope="session")
def face_image(face_frames: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first frame as a PNG in a folder `stills`."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("pictures") / "stills"
    folder.mkdir()
    path = folder / "face.png"
    Image.fromarray(face_frames[0]).save(path)
    return path
