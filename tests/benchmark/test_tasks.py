"""Scores against scikit-learn, SciPy and sums by hand, with the edge cases."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.spatial.transform import Rotation

from facemt_analysis import schema
from facemt_analysis.benchmark.bootstrap import Resampling, interval, sums_by
from facemt_analysis.benchmark.tasks.action_units import ActionUnitTask
from facemt_analysis.benchmark.tasks.affect import AffectTask
from facemt_analysis.benchmark.tasks.base import SCORE_COLUMNS
from facemt_analysis.benchmark.tasks.emotions import EmotionTask
from facemt_analysis.benchmark.tasks.gaze import GazeTask
from facemt_analysis.benchmark.tasks.points import LandmarkTask
from facemt_analysis.benchmark.tasks.pose import PoseTask

metrics = pytest.importorskip("sklearn.metrics")
NONE = Resampling(n=0)
N = 400


def scores(task: object, table: pd.DataFrame, missing: str = "left out") -> dict:
    found = task.score(table, missing, NONE)  # type: ignore[attr-defined]
    assert tuple(found.columns) == SCORE_COLUMNS
    return found.set_index(["metric", "target"])["value"].to_dict()


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(sum(map(ord, "benchmark")))


def lost(table: pd.DataFrame, columns: list[str], rows: slice) -> pd.DataFrame:
    """Take the face away in some rows."""
    table = table.copy()
    table.loc[table.index[rows], columns] = np.nan
    table.loc[table.index[rows], "found"] = False
    return table


class TestActionUnits:
    AUS = ("AU01", "AU06", "AU12")

    @pytest.fixture
    def table(self, rng: np.random.Generator) -> pd.DataFrame:
        truth = rng.integers(0, 6, (N, 3)).astype(float)
        score = np.clip(truth / 5 + rng.normal(0, 0.3, (N, 3)), 0, 1)
        frame = pd.DataFrame(score, columns=list(self.AUS))
        frame[[f"true_{au}" for au in self.AUS]] = truth
        return frame.assign(subject=rng.integers(0, 9, N).astype(str), found=True)

    def test_equals_scikit_learn(self, table: pd.DataFrame) -> None:
        found = scores(ActionUnitTask(self.AUS), table)
        f1 = []
        for au in self.AUS:
            truth, said = table[f"true_{au}"] >= 2, table[au] >= 0.5
            f1.append(metrics.f1_score(truth, said))
            assert found["f1", au] == pytest.approx(f1[-1], abs=1e-12)
            assert found["precision", au] == pytest.approx(metrics.precision_score(truth, said))
            assert found["recall", au] == pytest.approx(metrics.recall_score(truth, said))
            assert found["accuracy", au] == pytest.approx(metrics.accuracy_score(truth, said))
        assert found["macro_f1", "aus"] == pytest.approx(np.mean(f1), abs=1e-12)

    def test_an_action_unit_that_never_shows_has_no_f1(self, table: pd.DataFrame) -> None:
        table = table.assign(true_AU06=0.0, AU06=0.1)
        found = scores(ActionUnitTask(self.AUS), table)
        assert np.isnan(found["f1", "AU06"])
        others = (found["f1", "AU01"] + found["f1", "AU12"]) / 2
        assert found["macro_f1", "aus"] == pytest.approx(others)

    def test_uncoded_frames_do_not_count(self, table: pd.DataFrame) -> None:
        half = table.copy()
        half.loc[half.index[::2], "true_AU12"] = np.nan
        found = scores(ActionUnitTask(self.AUS), half)
        rest = table.iloc[1::2]
        expected = metrics.f1_score(rest["true_AU12"] >= 2, rest["AU12"] >= 0.5)
        assert found["f1", "AU12"] == pytest.approx(expected)

    def test_lost_faces_are_left_out_or_wrong(self, table: pd.DataFrame) -> None:
        task = ActionUnitTask(self.AUS)
        some = lost(table, list(self.AUS), slice(0, 40))
        assert scores(task, some) == scores(task, table.iloc[40:])
        wrong = (some["true_AU12"] >= 2) ^ True
        said = (some["AU12"] >= 0.5).where(some["found"], wrong)
        expected = metrics.f1_score(some["true_AU12"] >= 2, said)
        assert scores(task, some, "as errors")["f1", "AU12"] == pytest.approx(expected)

    def test_threshold_curve(self, table: pd.DataFrame) -> None:
        curve = ActionUnitTask(self.AUS).details(table)["thresholds"]
        row = curve[(curve["target"] == "AU12") & (curve["threshold"] == 0.3)].iloc[0]
        truth, said = table["true_AU12"] >= 2, table["AU12"] >= 0.3
        assert row["f1"] == pytest.approx(metrics.f1_score(truth, said))
        assert row["recall"] == pytest.approx(metrics.recall_score(truth, said))
        assert row["false_positive_rate"] == pytest.approx((said & ~truth).sum() / (~truth).sum())


class TestEmotions:
    @pytest.fixture
    def table(self, rng: np.random.Generator) -> pd.DataFrame:
        true = rng.choice(schema.EMOTIONS, N)
        logits = rng.normal(0, 1, (N, 7)) + 1.5 * (np.array(schema.EMOTIONS) == true[:, None])
        frame = pd.DataFrame(
            np.exp(logits) / np.exp(logits).sum(1, keepdims=True), columns=list(schema.EMOTIONS)
        )
        return frame.assign(true_emotion=true, subject=pd.NA, found=True)

    def test_equals_scikit_learn(self, table: pd.DataFrame) -> None:
        found = scores(EmotionTask(), table)
        said = table[list(schema.EMOTIONS)].idxmax(axis=1)
        true = table["true_emotion"]
        assert found["accuracy", "emotions"] == pytest.approx(metrics.accuracy_score(true, said))
        macro = metrics.f1_score(true, said, average="macro")
        assert found["macro_f1", "emotions"] == pytest.approx(macro, abs=1e-12)
        each = metrics.f1_score(true, said, average=None, labels=list(schema.EMOTIONS))
        assert [found["f1", e] for e in schema.EMOTIONS] == pytest.approx(each)
        balanced = metrics.balanced_accuracy_score(true, said)
        assert found["macro_recall", "emotions"] == pytest.approx(balanced)
        matrix = metrics.confusion_matrix(true, said, labels=list(schema.EMOTIONS))
        confusion = EmotionTask().details(table)["confusion"]
        np.testing.assert_array_equal(confusion[list(schema.EMOTIONS)], matrix)

    def test_absent_class_and_other_labels(self, table: pd.DataFrame) -> None:
        part = table[table["true_emotion"] != "Fear"].assign(Fear=0.0)
        other = pd.concat([part, part.head(5).assign(true_emotion="Contempt")])
        found = scores(EmotionTask(), other)
        assert found == pytest.approx(scores(EmotionTask(), part), nan_ok=True)
        assert np.isnan(found["f1", "Fear"])
        assert np.isfinite(found["macro_f1", "emotions"])

    def test_lost_faces(self, table: pd.DataFrame) -> None:
        some = lost(table, list(schema.EMOTIONS), slice(0, 100))
        right = table[list(schema.EMOTIONS)].idxmax(axis=1) == table["true_emotion"]
        found = scores(EmotionTask(), some)["accuracy", "emotions"]
        assert found == pytest.approx(right[100:].mean())
        counted = scores(EmotionTask(), some, "as errors")["accuracy", "emotions"]
        assert counted == pytest.approx(right[100:].sum() / N)
        assert EmotionTask().details(some)["confusion"]["none"].sum() == 100


class TestAffect:
    @pytest.fixture
    def table(self, rng: np.random.Generator) -> pd.DataFrame:
        truth = rng.uniform(-1, 1, (N, 2))
        said = 0.7 * truth + 0.1 + rng.normal(0, 0.2, (N, 2))
        return pd.DataFrame({
            "true_valence": truth[:, 0], "true_arousal": truth[:, 1], "valence": said[:, 0],
            "arousal": said[:, 1], "subject": rng.integers(0, 5, N).astype(str), "found": True,
        })  # fmt: skip

    def test_equals_formulas(self, table: pd.DataFrame) -> None:
        found = scores(AffectTask(), table)
        x, y = table["true_valence"], table["valence"]
        cov = np.cov(x, y, bias=True)
        ccc = 2 * cov[0, 1] / (cov[0, 0] + cov[1, 1] + (x.mean() - y.mean()) ** 2)
        assert found["ccc", "valence"] == pytest.approx(ccc, abs=1e-12)
        assert found["r", "valence"] == pytest.approx(stats.pearsonr(x, y).statistic)
        rmse = metrics.root_mean_squared_error(x, y)
        assert found["rmse", "valence"] == pytest.approx(rmse)
        assert found["sagr", "valence"] == pytest.approx((np.sign(x) == np.sign(y)).mean())

    def test_perfect_and_constant(self, table: pd.DataFrame) -> None:
        perfect = table.assign(valence=table["true_valence"])
        assert scores(AffectTask(), perfect)["ccc", "valence"] == pytest.approx(1.0)
        constant = table.assign(true_valence=0.5, valence=0.5)
        assert np.isnan(scores(AffectTask(), constant)["r", "valence"])

    def test_a_lost_face_is_neutral(self, table: pd.DataFrame) -> None:
        some = lost(table, ["valence", "arousal"], slice(0, 50))
        zero = table.copy()
        zero.loc[zero.index[:50], ["valence", "arousal"]] = 0.0
        assert scores(AffectTask(), some, "as errors") == pytest.approx(scores(AffectTask(), zero))


def test_gaze_equals_rotations(rng: np.random.Generator) -> None:
    pitch, yaw = rng.uniform(-0.6, 0.6, (2, N)), rng.uniform(-1.5, 1.5, (2, N))
    table = pd.DataFrame({
        "true_gaze_pitch": pitch[0], "true_gaze_yaw": yaw[0], "gaze_pitch": pitch[1],
        "gaze_yaw": yaw[1], "subject": "a", "found": True,
    })  # fmt: skip
    # turn straight ahead up by the pitch, then aside by the yaw: another way to the same vector
    turned = []
    for p, y in zip(pitch, yaw, strict=True):
        up, aside = (Rotation.from_rotvec(np.outer(a, axis)) for a, axis in
                     ((-p, [1, 0, 0]), (y, [0, 1, 0])))  # fmt: skip
        turned.append((aside * up).apply([0, 0, 1]))
    cosine = np.einsum("ij,ij->i", *turned)
    expected = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    found = scores(GazeTask(), table)
    assert found["angular_error", "gaze"] == pytest.approx(expected.mean(), abs=1e-9)
    assert GazeTask().details(table)["subjects"]["angular_error"].item() == pytest.approx(
        expected.mean()
    )


def test_landmarks_by_hand() -> None:
    square = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 10.0]])
    right, down = np.array([0.5, 0.0]), np.array([0.0, 2.0])
    moved = [square, square + right, square + down, np.full((3, 2), np.nan)]
    rows = []
    for said in moved:
        row = {f"true_{a}_{i}": square[i, k] for i in range(3) for k, a in enumerate("xy")}
        row |= {f"{a}_{i}": said[i, k] for i in range(3) for k, a in enumerate("xy")}
        rows.append(row | {"subject": pd.NA, "found": bool(np.isfinite(said).all())})
    task = LandmarkTask(points=((0, 0), (1, 1), (2, 2)), corners=(0, 1))
    found = scores(task, pd.DataFrame(rows))
    assert found["nme", "landmarks"] == pytest.approx((0 + 0.05 + 0.2) / 3)
    assert found["failure_rate", "landmarks"] == pytest.approx(1 / 3)
    assert found["auc", "landmarks"] == pytest.approx((1 + 0.5 + 0) / 3)
    counted = scores(task, pd.DataFrame(rows), "as errors")
    assert counted["nme", "landmarks"] == pytest.approx((0 + 0.05 + 0.2 + 1) / 4)


def test_pose_by_hand() -> None:
    table = pd.DataFrame({
        "true_Yaw": np.radians([10.0, -170.0, 20.0]), "true_Pitch": 0.0, "true_Roll": 0.0,
        "Yaw": np.radians([13.0, 0.0, 15.0]), "Pitch": 0.0, "Roll": np.radians([0.0, 0.0, 2.0]),
        "subject": "a", "found": True,
    })  # fmt: skip
    found = scores(PoseTask(), table)  # the second head is beyond 99 degrees
    assert found["mae", "Yaw"] == pytest.approx(4.0)
    assert found["mae", "Roll"] == pytest.approx(1.0)
    assert found["mae", "poses"] == pytest.approx(5 / 3)


class TestIntervals:
    def test_agree_with_scipy(self, rng: np.random.Generator) -> None:
        values = rng.normal(3.0, 1.0, 60)
        sums = np.column_stack([np.ones(60), values])
        found = interval(sums, lambda s: s[..., 1:] / s[..., :1], Resampling(n=4000, seed=1))
        expected = stats.bootstrap(
            (values,), np.mean, n_resamples=4000, method="percentile", rng=2
        ).confidence_interval
        assert found.value[0] == pytest.approx(values.mean())
        assert (found.low[0], found.high[0]) == pytest.approx(tuple(expected), abs=0.03)

    def test_are_over_subjects_not_frames(self, rng: np.random.Generator) -> None:
        level = rng.normal(0, 1, 12)
        subject = pd.Series(np.repeat([f"s{i}" for i in range(12)], 500))
        values = level[subject.str[1:].astype(int)] + rng.normal(0, 0.01, len(subject))
        columns = np.column_stack([np.ones(len(values)), values])
        mean = lambda s: s[..., 1:] / s[..., :1]  # noqa: E731
        by_subject = interval(sums_by(subject, columns), mean, Resampling())
        by_frame = interval(sums_by(pd.Series([pd.NA] * len(subject)), columns), mean, Resampling())
        widths = [float(i.high[0] - i.low[0]) for i in (by_subject, by_frame)]
        assert widths[0] > 10 * widths[1]
        # the standard error of a mean of twelve people
        assert widths[0] == pytest.approx(2 * 1.96 * level.std() / np.sqrt(12), rel=0.2)

    def test_one_subject_has_none(self) -> None:
        found = interval(np.array([[2.0, 3.0]]), lambda s: s[..., 1:] / s[..., :1], Resampling())
        assert found.value[0] == 1.5
        assert np.isnan(found.low[0])

    def test_the_seed_decides(self, rng: np.random.Generator) -> None:
        sums = np.column_stack([np.ones(20), rng.normal(size=20)])
        mean = lambda s: s[..., 1:] / s[..., :1]  # noqa: E731
        lows = [interval(sums, mean, Resampling(n=200, seed=s)).low[0] for s in (1, 1, 2)]
        assert lows[0] == lows[1] != lows[2]


def test_no_sample_at_all_is_nan() -> None:
    table = pd.DataFrame({
        "true_valence": [np.nan], "true_arousal": [np.nan], "valence": [0.1], "arousal": [0.1],
        "subject": ["a"], "found": [True],
    })  # fmt: skip
    assert all(np.isnan(v) for v in scores(AffectTask(), table).values())
