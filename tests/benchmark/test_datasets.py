"""A miniature of every official layout; a detector with known answers gives the known score."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facemt_analysis.benchmark import Benchmark, Resampling, find_benchmark, run_benchmark
from facemt_analysis.benchmark.tasks.gaze import gaze_vectors
from facemt_analysis.errors import MediaError

from .conftest import KnownDetector, encoded

Save = Callable[..., Path]
FEW = Resampling(n=20)
ROUNDED = 0.01  # degrees: the pixels hold angles to 0.0001 rad


def run(benchmark: Benchmark, root: Path) -> dict[tuple[str, str, str], float]:
    result = run_benchmark(
        benchmark, root, detectors=[KnownDetector()], resampling=FEW, progress=False
    )
    return result.table.set_index(["missing", "metric", "target"])["value"].to_dict()


def text(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def happy(name: str = "Happy") -> dict[str, float]:
    return {name: 1.0}


class TestActionUnits:
    def test_disfaplus(self, tmp_path: Path, save_answers: Save) -> None:
        for person in ("SN001", "SN003"):
            trial = "A1_AU1_TrailNo_1"
            for au in (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26):
                # there in the first three frames at 3, 2, 1: twice by the protocol
                lines = "".join(f"{i:03d}.jpg\t{3 - i}\n" for i in range(4))
                text(tmp_path / "Labels" / person / trial / f"AU{au}.txt", f"# AU{au}\n{lines}")
            for i in range(4):
                said = {"AU12": 0.9 if i in (0, 2) else 0.1, "AU01": 0.5, "AU04": 0.49}
                save_answers(tmp_path / "Images" / person / trial / f"{i:03d}.jpg", said)
        scores = run(find_benchmark("disfaplus"), tmp_path)
        assert scores["left out", "f1", "AU12"] == pytest.approx(0.5)  # one of two, one wrong
        assert scores["left out", "f1", "AU01"] == pytest.approx(2 * 2 / (2 * 2 + 2))
        assert scores["left out", "f1", "AU04"] == 0.0
        assert scores["left out", "macro_f1", "aus"] == pytest.approx((0.5 + 2 / 3) / 12)
        eight = run(find_benchmark("disfaplus", aus=8), tmp_path)
        assert eight["left out", "macro_f1", "aus"] == pytest.approx((0.5 + 2 / 3) / 8)

    def test_the_card_speaks_of_the_default_options_only(self) -> None:
        score = ("macro_f1", "aus")
        assert find_benchmark("disfaplus").expected_scores()[score] == 0.693
        assert find_benchmark("disfaplus", aus=8).expected_scores()[score] == 0.740
        assert not find_benchmark("disfaplus", threshold=0.3).expected_scores()

    def test_disfa(self, tmp_path: Path) -> None:
        import av

        frames = [np.full((48, 64, 3), 60 * i, np.uint8) for i in range(3)]
        path = tmp_path / "Videos_LeftCamera/LeftVideoSN001_comp.avi"
        path.parent.mkdir(parents=True)
        with av.open(str(path), "w") as container:
            stream = container.add_stream("ffv1", rate=20)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for pixels in frames:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            container.mux(stream.encode(None))
        for au in (1, 2, 4, 6, 9, 12, 25, 26):
            text(tmp_path / f"ActionUnit_Labels/SN001/SN001_au{au}.txt", "1,0\n2,3\n3,1\n")
        samples = list(find_benchmark("disfa").samples(tmp_path))
        assert [s.truth["AU12"] for s in samples] == [0, 3, 1]
        assert [s.key for s in samples] == ["SN001/1", "SN001/2", "SN001/3"]
        assert not list(find_benchmark("disfa", fold=2).samples(tmp_path))
        assert len(list(find_benchmark("disfa", fold=1, every=2).samples(tmp_path))) == 2
        folds = [find_benchmark("disfa", fold=k) for k in (1, 2, 3)]
        assert [f.options()["fold"] for f in folds] == [1, 2, 3]

    def test_bp4d(self, tmp_path: Path, save_answers: Save) -> None:
        aus = [1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24]
        header = ",".join(map(str, [0, *aus]))
        lines = [",".join(map(str, [f, *codes])) for f, codes in
                 ((2440, [1] * 12), (2441, [0] * 11 + [9]), (2442, [1] * 12))]  # fmt: skip
        text(tmp_path / "AUCoding/AU_OCC/F001_T1.csv", "\n".join([header, *lines]))
        for frame, level in ((2440, 0.9), (2441, 0.9), (2442, 0.1)):
            answers = {f"AU{n:02d}": level for n in aus}
            save_answers(tmp_path / f"2D+3D/F001/T1/{frame:04d}.jpg", answers)
        scores = run(find_benchmark("bp4d"), tmp_path)
        assert scores["left out", "f1", "AU12"] == pytest.approx(0.5)
        assert scores["left out", "f1", "AU24"] == pytest.approx(2 / 3)  # one frame not coded


class TestEmotions:
    def test_rafdb(self, tmp_path: Path, save_answers: Save) -> None:
        codes = {1: "Surprise", 2: "Fear", 3: "Disgust", 4: "Happy", 5: "Sad", 6: "Anger",
                 7: "Neutral"}  # fmt: skip
        lines = ["train_00001.jpg 5"]
        for code, emotion in codes.items():
            lines.append(f"test_{code:04d}.jpg {code}")
            said = "Neutral" if emotion == "Fear" else emotion
            for folder, ending in (("aligned", "_aligned"), ("original", "")):
                save_answers(tmp_path / f"basic/Image/{folder}/test_{code:04d}{ending}.jpg",
                             happy(said))  # fmt: skip
        text(tmp_path / "basic/EmoLabel/list_patition_label.txt", "\n".join(lines))
        for options in ({}, {"images": "aligned", "faces": "crop"}):
            scores = run(find_benchmark("rafdb", **options), tmp_path)
            assert scores["left out", "accuracy", "emotions"] == pytest.approx(6 / 7)
            expected = (5 * 1.0 + 2 / 3 + 0.0) / 7  # Neutral: one right of two said
            assert scores["left out", "macro_f1", "emotions"] == pytest.approx(expected)

    @pytest.mark.parametrize("header", [True, False], ids=["names in the list", "no names"])
    def test_affectnet_list(self, tmp_path: Path, save_answers: Save, header: bool) -> None:
        names = ("subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,"
                 "expression,valence,arousal\n")  # fmt: skip
        rows = [("1/a.jpg", 1, 0.5, 0.4), ("1/b.jpg", 2, -0.5, -0.2), ("2/c.jpg", 7, -0.1, 0.1),
                ("2/d.jpg", 10, -2, -2), ("2/e.jpg", 0, 0.0, 0.0)]  # fmt: skip
        body = "".join(f"{n},4,4,56,56,1;2;3,{e},{v},{a}\n" for n, e, v, a in rows)
        text(tmp_path / "Manually_Annotated_file_lists/validation.csv", names * header + body)
        for name, said in (("1/a", "Happy"), ("1/b", "Happy"), ("2/c", "Sad"), ("2/d", "Sad"),
                           ("2/e", "Neutral")):  # fmt: skip
            save_answers(tmp_path / f"Manually_Annotated_Images/{name}.jpg",
                         happy(said) | {"valence": 0.5, "arousal": 0.0})  # fmt: skip
        scores = run(find_benchmark("affectnet"), tmp_path)
        # contempt and images without a face are not scored
        assert scores["left out", "accuracy", "emotions"] == pytest.approx(2 / 3)
        affect = run(find_benchmark("affectnet", score="affect"), tmp_path)
        rmse = np.sqrt(np.mean((np.array([0.5, -0.5, -0.1, 0.0]) - 0.5) ** 2))
        assert affect["left out", "rmse", "valence"] == pytest.approx(rmse, abs=1e-6)

    def test_affectnet_arrays(self, tmp_path: Path, save_answers: Save) -> None:
        folder = tmp_path / "val_set"
        (folder / "annotations").mkdir(parents=True)
        for number, code, said in ((0, "0", "Neutral"), (11, "6", "Anger"), (2, "3", "Fear")):
            for kind, value in (("exp", code), ("val", "0.1"), ("aro", "0.2")):
                np.save(folder / f"annotations/{number}_{kind}.npy", np.array(value))
            save_answers(folder / f"images/{number}.jpg", happy(said))
        benchmark = find_benchmark("affectnet")
        assert [s.key for s in benchmark.samples(tmp_path)] == ["0", "2", "11"]
        assert run(benchmark, tmp_path)["left out", "accuracy", "emotions"] == pytest.approx(2 / 3)

    def test_ckplus(self, tmp_path: Path, save_answers: Save) -> None:
        for person, code, said in (("S005", 3, "Disgust"), ("S010", 7, "Fear"), ("S011", 2, "Sad")):
            for i in range(1, 4):
                name = f"cohn-kanade-images/{person}/001/{person}_001_{i:08d}.png"
                save_answers(tmp_path / name, happy("Neutral" if i == 1 else said))
            text(tmp_path / f"Emotion/{person}/001/{person}_001_00000003_emotion.txt",
                 f"   {code}.0000000e+00\n")  # fmt: skip
        (tmp_path / "Emotion/S011/002").mkdir()  # a sequence without a label
        scores = run(find_benchmark("ckplus"), tmp_path)
        # three neutral frames right, disgust right, surprise wrong, contempt not scored
        assert scores["left out", "accuracy", "emotions"] == pytest.approx(4 / 5)
        peaks = run(find_benchmark("ckplus", peaks=2, neutral=False), tmp_path)
        assert peaks["left out", "accuracy", "emotions"] == pytest.approx(1 / 2)


class TestAffect:
    def test_affwild2(self, tmp_path: Path, save_answers: Save) -> None:
        text(tmp_path / "VA_Estimation_Challenge/Validation_Set/1-30.txt",
             "valence,arousal\n0.2,0.1\n-5,-5\n-0.4,0.3\n0.6,-0.5\n")  # fmt: skip
        truth = {1: (0.2, 0.1), 2: (0.9, 0.9), 3: (-0.4, 0.3)}  # frame 4 has no image
        for number, (valence, arousal) in truth.items():
            save_answers(tmp_path / f"cropped_aligned/1-30/{number:05d}.jpg",
                         {"valence": valence, "arousal": -arousal})  # fmt: skip
        scores = run(find_benchmark("affwild2"), tmp_path)
        assert scores["left out", "ccc", "valence"] == pytest.approx(1.0, abs=1e-6)
        assert scores["left out", "ccc", "arousal"] < 0
        counted = np.array([[0.2, -0.4, 0.6], [0.2, -0.4, 0.0]])
        rmse = np.sqrt(np.mean((counted[0] - counted[1]) ** 2))
        assert scores["as errors", "rmse", "valence"] == pytest.approx(rmse, abs=1e-6)

    def test_afewva(self, tmp_path: Path, save_answers: Save) -> None:
        points = [[10.0, 10.0], [50.0, 50.0]]
        frames = {f"{i:05d}": {"landmarks": points, "valence": 5.0 * i, "arousal": -10.0}
                  for i in range(3)}  # fmt: skip
        text(tmp_path / "001/001.json", json.dumps({"actor": "A", "frames": frames}))
        for i in range(3):
            save_answers(tmp_path / f"001/{i:05d}.png", {"valence": 0.5 * i, "arousal": -1.0})
        scores = run(find_benchmark("afewva"), tmp_path)
        assert scores["left out", "ccc", "valence"] == pytest.approx(1.0, abs=1e-6)
        assert scores["left out", "rmse", "arousal"] == pytest.approx(0.0, abs=1e-4)


# A face that looks to the subject's right (the left of the image) and up, in each data set's axes.
RIGHT, UP = np.radians(20.0), np.radians(10.0)
OPENCV = np.array([-np.sin(RIGHT) * np.cos(UP), -np.sin(UP), -np.cos(RIGHT) * np.cos(UP)])
RIGHT_UP = {"gaze_pitch": float(UP), "gaze_yaw": float(RIGHT)}


class TestGaze:
    """A face that looks right and up has no error; one with a wrong sign is far off."""

    def both(self, benchmark: Benchmark, root: Path, save: Save, *images: str) -> None:
        for image in images:
            save(root / image, RIGHT_UP)
        scores = run(benchmark, root)
        assert scores["left out", "angular_error", "gaze"] == pytest.approx(0.0, abs=ROUNDED)
        for image in images:
            save(root / image, RIGHT_UP | {"gaze_yaw": -float(RIGHT)})
        vectors = gaze_vectors([UP, UP], [RIGHT, -RIGHT])
        apart = np.degrees(np.arccos(vectors[0] @ vectors[1]))
        scores = run(benchmark, root)
        assert scores["left out", "angular_error", "gaze"] == pytest.approx(apart, abs=ROUNDED)
        assert scores["left out", "mae", "gaze_yaw"] == pytest.approx(40.0, abs=ROUNDED)

    def test_mpiifacegaze(self, tmp_path: Path, save_answers: Save) -> None:
        centre = np.array([10.0, 20.0, 600.0])
        target = centre + 500 * OPENCV
        numbers = [0.0] * 20 + centre.tolist() + target.tolist()
        line = " ".join(["day01/0005.jpg", *map(str, numbers), "left"])
        text(tmp_path / "p00/p00.txt", line + "\n")
        self.both(find_benchmark("mpiigaze"), tmp_path, save_answers, "p00/day01/0005.jpg")

    @pytest.mark.parametrize("origin", ["eyes", "eye"])
    def test_mpiigaze(self, tmp_path: Path, save_answers: Save, origin: str) -> None:
        right, left = np.array([-30.0, 0, 600]), np.array([34.0, 0, 600])
        start = left if origin == "eye" else (left + right) / 2
        target = start + 400 * OPENCV
        numbers = [0.0] * 26 + target.tolist() + [0.0] * 6 + right.tolist() + left.tolist()
        day = "Data/Original/p03/day02"
        other = " ".join(["0"] * 41)
        text(tmp_path / f"{day}/annotation.txt", other + "\n" + " ".join(map(str, numbers)))
        text(tmp_path / "Evaluation Subset/sample list for eye image/p03.txt",
             "day02/0002.jpg left\n")  # fmt: skip
        self.both(find_benchmark("mpiigaze", origin=origin), tmp_path, save_answers,
                  f"{day}/0002.jpg")  # fmt: skip

    def test_gaze360(self, tmp_path: Path, save_answers: Save) -> None:
        x, y, z = OPENCV * [-1, -1, 1]  # x to the left of the image, y up
        image = "rec_000/head/000001/000007.jpg"
        away = "rec_000/head/000001/000008.jpg"  # looks away from the camera
        text(tmp_path / "test.txt", f"{image} {x} {y} {z}\n{away} 0 0 1\n")
        save_answers(tmp_path / "imgs" / away, {"gaze_yaw": float(np.pi)})
        self.both(find_benchmark("gaze360", view="front180"), tmp_path, save_answers,
                  f"imgs/{image}")  # fmt: skip
        assert len(list(find_benchmark("gaze360").samples(tmp_path))) == 2

    def test_columbia(self, tmp_path: Path, save_answers: Save) -> None:
        names = ["0001/0001_2m_0P_10V_20H.jpg", "0001/0001_2m_15P_10V_20H.jpg"]
        self.both(find_benchmark("columbia"), tmp_path, save_answers, *names)
        assert len(list(find_benchmark("columbia", frontal=True).samples(tmp_path))) == 1
        turned = next(iter(find_benchmark("columbia", right=-1).samples(tmp_path)))
        assert turned.truth["gaze_yaw"] == pytest.approx(-RIGHT)

    def test_eyediap(self, tmp_path: Path, write_video: Callable[..., Path]) -> None:
        session = tmp_path / "Data/1_A_CS_S"
        eyes = np.array([0.03, 0.0, 1.0, -0.03, 0.0, 1.0])
        target = eyes.reshape(2, 3).mean(0) + 0.5 * OPENCV
        turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])  # the camera lies on its side
        world_eyes = (eyes.reshape(2, 3) @ turn.T).ravel()
        world_target = turn @ target
        frame = ";".join(map(str, [0, 1, 1, *world_eyes]))
        text(session / "eye_tracking.txt", f"Frame;a;b;c\n{frame}\n")
        text(session / "screen_coordinates.txt",
             "Frame;x\n" + ";".join(map(str, [0, 5, 5, *world_target])) + "\n")  # fmt: skip
        rows = "\n".join(";".join(map(str, row)) for row in turn)
        text(session / "rgb_vga_calibration.txt", f"[resolution]\n640;480\n[R]\n{rows}\n[T]\n0\n")
        write_video(tmp_path / "v.mp4", [encoded({}, side=64)] * 2).rename(session / "rgb_vga.mov")
        (sample,) = find_benchmark("eyediap", every=1).samples(tmp_path)
        assert sample.truth == pytest.approx(RIGHT_UP)
        (turned,) = find_benchmark("eyediap", every=1, axes="-++").samples(tmp_path)
        assert turned.truth["gaze_yaw"] == pytest.approx(-RIGHT)


class TestPoints:
    POINTS = np.column_stack([np.linspace(10, 50, 68), np.linspace(50, 12, 68)])

    def answers(self, points: np.ndarray) -> dict[str, float]:
        return {f"{a}_{i}": float(p[k]) for k, a in enumerate("xy") for i, p in enumerate(points)}

    @pytest.mark.parametrize("used", [51, 68])
    def test_300w(self, tmp_path: Path, save_answers: Save, used: int) -> None:
        lines = "\n".join(f"{x + 1} {y + 1}" for x, y in self.POINTS)  # counted from 1
        content = f"version: 1\nn_points: 68\n{{\n{lines}\n}}\n"
        for folder in ("helen/testset", "lfpw/testset", "ibug"):
            text(tmp_path / folder / "a_1.pts", content)
            save_answers(
                tmp_path / folder / "a_1.png", self.answers(self.POINTS + np.array([3.0, 0.0]))
            )
        scores = run(find_benchmark("300w", points=used), tmp_path)
        unit = np.linalg.norm(self.POINTS[36] - self.POINTS[45])
        assert scores["left out", "nme", "landmarks"] == pytest.approx(3 / unit, abs=1e-4)
        assert len(list(find_benchmark("300w", subset="common").samples(tmp_path))) == 2
        with pytest.raises(MediaError, match="300W/01_Indoor"):
            run(find_benchmark("300w", subset="test"), tmp_path)

    def test_wflw(self, tmp_path: Path, save_answers: Save) -> None:
        points = np.column_stack([np.arange(98) / 2 + 8, 60 - np.arange(98) / 2])
        line = " ".join(map(str, points.ravel()))
        text(tmp_path / "WFLW_annotations/list_98pt_rect_attr_train_test/"
             "list_98pt_rect_attr_test.txt",
             f"{line} 8 8 60 60 1 0 0 0 0 0 s/a.jpg\n{line} 8 8 60 60 0 0 0 0 1 0 s/b.jpg\n",
             )  # fmt: skip
        eyes = [60, 61, 63, 64, 65, 67, 68, 69, 71, 72, 73, 75]
        brows = [*range(33, 38), *range(42, 47)]
        shared = points[[*range(0, 33, 2), *brows, *range(51, 60), *eyes, *range(76, 96)]]
        for name in "ab":
            save_answers(tmp_path / f"WFLW_images/s/{name}.jpg", self.answers(shared))
        scores = run(find_benchmark("wflw"), tmp_path)
        assert scores["left out", "nme", "landmarks"] == pytest.approx(0.0, abs=1e-4)
        assert len(list(find_benchmark("wflw", subset="occlusion").samples(tmp_path))) == 1


class TestPose:
    def test_aflw2000(self, tmp_path: Path, save_answers: Save) -> None:
        from scipy.io import savemat

        for i, degrees in enumerate(((10.0, 20.0, -5.0), (0.0, 110.0, 0.0))):
            points = np.vstack([TestPoints.POINTS.T, np.zeros(68)])
            content = {"Pose_Para": np.radians([[*degrees, 0, 0, 0, 1]]), "pt3d_68": points}
            savemat(tmp_path / f"image{i:05d}.mat", content)
            pitch, yaw, roll = np.radians(degrees)
            save_answers(tmp_path / f"image{i:05d}.jpg",
                         {"Pitch": pitch, "Yaw": yaw + np.radians(6), "Roll": -roll})  # fmt: skip
        scores = run(find_benchmark("aflw2000"), tmp_path)
        assert scores["left out", "mae", "Yaw"] == pytest.approx(6.0, abs=ROUNDED)
        assert scores["left out", "mae", "poses"] == pytest.approx(2.0, abs=ROUNDED)

    @pytest.mark.parametrize(
        ("axis", "column"), [(0, "Pitch"), (1, "Yaw"), (2, "Roll")], ids=["pitch", "yaw", "roll"]
    )
    def test_biwi(self, tmp_path: Path, save_answers: Save, axis: int, column: str) -> None:
        # a turn by 15 degrees about each camera axis (x right, y down, z away): about x the face
        # goes down, about y to the left of the image (the subject's right), about z the head
        # tilts clockwise in the image (to the subject's left)
        c, s = np.cos(np.radians(15)), np.sin(np.radians(15))
        i, j = [(1, 2), (2, 0), (0, 1)][axis]
        turn = np.eye(3)
        turn[i, i] = turn[j, j] = c
        turn[i, j], turn[j, i] = -s, s
        lines = "\n".join(" ".join(map(str, row)) for row in turn)
        text(tmp_path / "hpdb/01/frame_00003_pose.txt", f"{lines}\n\n1 2 3\n")
        save_answers(tmp_path / "hpdb/01/frame_00003_rgb.png", {})
        (sample,) = find_benchmark("biwi").samples(tmp_path)
        sign = {"Pitch": -1, "Yaw": 1, "Roll": -1}[column]
        expected = {"Pitch": 0.0, "Yaw": 0.0, "Roll": 0.0, column: sign * np.radians(15)}
        assert sample.truth == pytest.approx(expected)


class TestRendered:
    def test_is_the_same_each_time_and_scores_the_truth(self, tmp_path: Path) -> None:
        benchmark = find_benchmark("rendered", n=6, size=64)
        first, second = list(benchmark.samples(tmp_path)), list(benchmark.samples(tmp_path))
        for a, b in zip(first, second, strict=True):
            assert (np.asarray(a.image) == np.asarray(b.image)).all()
            assert a.truth == b.truth
        assert len({s.subject for s in first}) == 6

        class Truthful(KnownDetector):
            def measure(self, images, boxes, **options):  # type: ignore[no-untyped-def]
                answers = [s.truth for s in first for i in images if i is s.image]
                table = super().measure([encoded({})] * len(images), boxes, **options)
                told = {c: [float(a.get(c, a["emotion"] == c)) for a in answers] for c in table}
                table = pd.DataFrame(told)
                return table

        object.__setattr__(benchmark, "samples", lambda root: iter(first))
        result = run_benchmark(benchmark, tmp_path, detectors=[Truthful()], resampling=FEW,
                               progress=False)  # fmt: skip
        scores = result.table.set_index(["missing", "metric", "target"])["value"]
        perfect = {"accuracy": 1, "ccc": 1, "angular_error": 0, "mae": 0, "nme": 0, "f1": 1}
        for (missing, metric, _), value in scores.items():
            if missing == "left out" and metric in perfect and np.isfinite(value):
                assert value == pytest.approx(perfect[metric], abs=2e-3), metric
