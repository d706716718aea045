"""Weights by name, against a small stand-in for the hub on this machine."""

from __future__ import annotations

import hashlib
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import huggingface_hub
import huggingface_hub.constants
import pytest
import torch
from safetensors.torch import save

from facemt_analysis.errors import CheckpointError, WeightsUnavailable
from facemt_analysis.network import WEIGHTS, resolve_weights, weights

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PATH = "/py-feat/face_multitask_v2/resolve/{revision}/face_multitask_v2.safetensors"


class Hub:
    """Serves one file the way the hub does, and notes what it was asked."""

    def __init__(self) -> None:
        self.content = save({"a": torch.zeros(100_000)}, metadata={"licence": "from the file"})
        self.etag = hashlib.sha256(self.content).hexdigest()
        self.status = 200
        self.error_code: str | None = None
        self.cut_after: int | None = None
        self.asked: list[tuple[str, str, str | None]] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.answer(body=False)

            def do_GET(self) -> None:
                self.answer(body=True)

            def answer(self, *, body: bool) -> None:
                span = self.headers.get("Range")
                if "/resolve/" in self.path:
                    hub.asked.append((self.command, self.path, span))
                known = self.path in [PATH.format(revision=r) for r in ("main", COMMIT, "v1")]
                status = hub.status if known else 404
                start = int(span.split("=")[1].split("-")[0]) if span else 0
                content = hub.content[start:] if status == 200 else b""
                self.send_response(206 if span and status == 200 else status)
                if status == 404 or hub.error_code:
                    self.send_header("X-Error-Code", hub.error_code or "EntryNotFound")
                self.send_header("X-Repo-Commit", COMMIT)
                self.send_header("ETag", f'"{hub.etag}"')
                self.send_header("Accept-Ranges", "bytes")
                if span:
                    last = len(hub.content) - 1
                    self.send_header("Content-Range", f"bytes {start}-{last}/{last + 1}")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if body:
                    cut, hub.cut_after = hub.cut_after, None
                    self.wfile.write(content[:cut])
                    self.close_connection = cut is not None

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def point_at(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Do to a running process what HF_ENDPOINT does to a new one."""
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", url)
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache, and a hub that nobody serves."""
    folder = tmp_path / "hub"
    constants = huggingface_hub.constants
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    point_at(monkeypatch, "http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HF_HUB_ETAG_TIMEOUT", 2)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    weights._announce.cache_clear()
    return folder


@pytest.fixture
def hub(cache, monkeypatch) -> Iterator[Hub]:
    hub = Hub()
    point_at(monkeypatch, hub.url)
    yield hub
    getattr(huggingface_hub, "close_session", lambda: None)()  # since 1.0
    hub.stop()


def unavailable(*told: str, revision: str | None = None) -> str:
    with pytest.raises(WeightsUnavailable) as caught:
        resolve_weights("face_multitask_v2", revision=revision)
    message = str(caught.value)
    assert "\n" not in message
    for what in (
        "face_multitask_v2.safetensors",
        "HF_HOME",
        "HF_ENDPOINT",
        'weights="open"',
        *told,
    ):
        assert what in message
    return message


def test_a_file_is_fetched_once_and_its_commit_recorded(hub, cache):
    found = resolve_weights("face_multitask_v2")
    assert found.path.read_bytes() == hub.content
    assert found.path.is_relative_to(cache)
    assert found.name == "face_multitask_v2"
    assert found.revision == COMMIT
    assert found.sha256 == hub.etag
    assert found.licence == WEIGHTS["face_multitask_v2"].licence
    asked = len(hub.asked)
    assert {path for _, path, _ in hub.asked} == {PATH.format(revision="main")}
    assert resolve_weights("face_multitask_v2") == found
    assert len(hub.asked) == asked


def test_a_cached_file_needs_no_hub(hub, monkeypatch):
    found = resolve_weights("face_multitask_v2")
    point_at(monkeypatch, "http://127.0.0.1:9")
    assert resolve_weights("face_multitask_v2") == found
    assert resolve_weights("face_multitask_v2", revision=COMMIT) == found
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert resolve_weights("face_multitask_v2") == found


@pytest.mark.parametrize("revision", [COMMIT, "v1"])
def test_a_revision_is_asked_for(hub, revision):
    assert resolve_weights("face_multitask_v2", revision=revision).revision == COMMIT
    assert {path for _, path, _ in hub.asked} == {PATH.format(revision=revision)}


def test_a_broken_connection_is_taken_up_where_it_broke(hub, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "DOWNLOAD_CHUNK_SIZE", 2**16)
    hub.cut_after = 150_000
    found = resolve_weights("face_multitask_v2")
    assert found.path.read_bytes() == hub.content
    spans = [span for command, _, span in hub.asked if command == "GET"]
    assert spans[0] is None
    assert spans[1:] == [f"bytes={2 * 2**16}-"]


def test_a_download_that_was_given_up_leaves_nothing_that_counts_as_cached(hub, monkeypatch):
    hub.status = 503
    unavailable("status 503")
    hub.status = 200
    assert resolve_weights("face_multitask_v2").sha256 == hub.etag


def test_damage_in_the_cache_is_noticed(hub):
    path = resolve_weights("face_multitask_v2").path
    damaged = bytearray(hub.content)
    damaged[-1] ^= 1
    path.resolve().write_bytes(damaged)
    with pytest.raises(CheckpointError, match=r"SHA-256 .* Delete"):
        resolve_weights("face_multitask_v2")


def test_nobody_answers(cache):
    message = unavailable("http://127.0.0.1:9", str(cache))
    assert "huggingface.co/py-feat/face_multitask_v2" in message


def test_the_face_detector_has_another_way_out(cache):
    with pytest.raises(WeightsUnavailable, match=r'retinaface_r34.*face_detector="haar"'):
        resolve_weights("retinaface_r34")


def test_offline_mode(cache, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    unavailable("HF_HUB_OFFLINE")


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        (404, "EntryNotFound", "has no file face_multitask_v2.safetensors"),
        (404, "RevisionNotFound", "has no revision 'main2'"),
        (401, "GatedRepo", "HF_TOKEN"),
        (403, None, "HF_TOKEN"),
        (500, None, "status 500"),
    ],
)
def test_what_the_hub_may_answer(hub, status, code, told):
    hub.status, hub.error_code = status, code
    if code == "RevisionNotFound":
        unavailable(told, revision="main2")
    else:
        unavailable(told)


def test_the_licence_is_told_once(hub, caplog):
    with caplog.at_level(logging.WARNING, logger="facemt_analysis"):
        resolve_weights("face_multitask_v2")
        resolve_weights("face_multitask_v2")
    told = [r.getMessage() for r in caplog.records if r.name == "facemt_analysis"]
    assert len(told) == 1
    assert "face_multitask_v2" in told[0]
    assert "non-commercial" in told[0]


def test_progress_and_licence_go_to_stderr(hub, tmp_path):
    script = (
        "from facemt_analysis.network import resolve_weights\n"
        "print(resolve_weights('face_multitask_v2').revision)"
    )
    environment = {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_DISABLE_XET": "1",
        "TQDM_POSITION": "-1",  # bars even where stderr is no terminal
        "PATH": "",
        "PYTHONPATH": ":".join(sys.path),
    }
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{COMMIT}\n"
    assert "face_multitask_v2.safetensors" in done.stderr
    assert "100%" in done.stderr
    assert "non-commercial" in done.stderr
    assert list((tmp_path / "home" / "hub").glob("models--*/snapshots/*/*.safetensors"))


def test_a_name_nobody_knows():
    with pytest.raises(WeightsUnavailable, match=r"face_multitask_v2, .*open; .*Did you mean"):
        resolve_weights("face_multitask_v3")
    with pytest.raises(WeightsUnavailable, match="Names are"):
        resolve_weights("v2.5")


def test_a_path(tmp_path, hub):
    path = tmp_path / "mine.safetensors"
    path.write_bytes(hub.content)
    for given in (path, str(path)):
        found = resolve_weights(given)
        assert (found.name, found.path, found.revision) == ("mine", path, None)
        assert found.sha256 == hub.etag
        assert found.licence == "from the file"
    assert hub.asked == []
    with pytest.raises(CheckpointError, match="`revision`"):
        resolve_weights(path, revision="main")


def test_a_path_that_does_not_exist_or_is_something_else(tmp_path, monkeypatch):
    with pytest.raises(CheckpointError, match=r"no\.safetensors does not exist"):
        resolve_weights(tmp_path / "no.safetensors")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match=r"no\.safetensors does not exist"):
        resolve_weights("no.safetensors")
    (tmp_path / "old.pt").write_bytes(b"PK\x03\x04 and so on")
    with pytest.raises(CheckpointError, match="never opened"):
        resolve_weights("old.pt")


def test_embedded_weights(tmp_path, monkeypatch, hub):
    monkeypatch.setattr(weights, "__file__", str(tmp_path / "weights.py"))
    with pytest.raises(WeightsUnavailable, match="not part of this installation"):
        resolve_weights("open")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "open.safetensors").write_bytes(hub.content)
    found = resolve_weights("open")
    assert (found.name, found.licence, found.revision) == ("open", "MIT", None)
    assert found.sha256 == hub.etag
    with pytest.raises(CheckpointError, match="`revision`"):
        resolve_weights("open", revision="main")
    assert hub.asked == []


def test_every_known_file_has_terms():
    assert set(WEIGHTS) == {"face_multitask_v2", "face_multitask_v28", "retinaface_r34", "open"}
    for known in WEIGHTS.values():
        assert known.licence
        assert known.filename.endswith(".safetensors")
