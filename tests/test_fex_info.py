"""Metadata: immutable all the way down, merged field by field, there and back through JSON."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from facemt_analysis.errors import FexError
from facemt_analysis.fex import FexInfo, FrozenMapping, Operation

FULL = FexInfo(
    tool="facemt_analysis 0.1.0",
    weights="open",
    weights_sha256="ab" * 32,
    weights_licence="MIT",
    weights_revision="main",
    conventions={"name": "open", "Pitch": [0, 1]},
    chip={"crop": "square", "expand": 1.2},
    face_detector="haar",
    face_detector_options={"neighbours": 3},
    options={"every": 2, "groups": ["aus", "va"], "start": None, "nested": {"deep": [1, {"x": 2}]}},
    versions={"numpy": "2.0"},
    created="2026-01-01T00:00:00+00:00",
).with_log("label", on="input", columns=["subject"])


def test_every_field_of_the_example_is_filled() -> None:
    assert all(getattr(FULL, f.name) for f in dataclasses.fields(FexInfo))


@pytest.mark.parametrize("info", [FULL, FexInfo()], ids=["full", "empty"])
@pytest.mark.parametrize(
    "there_and_back",
    [
        pytest.param(lambda i: FexInfo.from_json(i.to_json()), id="json"),
        pytest.param(lambda i: FexInfo.from_dict(json.loads(json.dumps(i.to_dict()))), id="dict"),
        pytest.param(lambda i: pickle.loads(pickle.dumps(i)), id="pickle"),
        pytest.param(copy.deepcopy, id="deepcopy"),
        pytest.param(copy.copy, id="copy"),
        pytest.param(dataclasses.replace, id="replace"),
    ],
)
def test_round_trips(info: FexInfo, there_and_back) -> None:
    back = there_and_back(info)
    assert back == info
    assert hash(back) == hash(info)
    assert type(back.log) is tuple


def test_nothing_can_be_edited() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        FULL.weights = "other"  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        FULL.log[0].name = "other"  # type: ignore[misc]
    options = FULL.options
    with pytest.raises(TypeError):
        options["every"] = 3  # type: ignore[index]
    with pytest.raises(TypeError):
        del options["every"]  # type: ignore[attr-defined]
    with pytest.raises(TypeError):
        options["nested"]["deep"][1]["x"] = 3
    with pytest.raises(AttributeError):
        options._items = {}  # type: ignore[union-attr]
    with pytest.raises(AttributeError):
        del options._items  # type: ignore[union-attr]
    assert isinstance(options["groups"], tuple)
    with pytest.raises(TypeError):
        options._items["every"] = 3  # type: ignore[union-attr]


def test_later_edits_of_what_was_passed_do_not_arrive() -> None:
    options = {"boxes": [1, 2]}
    info = FexInfo(options=options)
    options["boxes"].append(3)
    options["new"] = []
    assert info.options == {"boxes": (1, 2)}


@pytest.mark.parametrize(
    ("value", "frozen"),
    [
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.array([[1, 2], [3, 4]]), ((1, 2), (3, 4))),
        (Path("a") / "b", str(Path("a") / "b")),
        ({2, 1}, (1, 2)),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        ((1, [2, (3,)]), (1, (2, (3,)))),
    ],
    ids=repr,
)
def test_values_become_json(value: object, frozen: object) -> None:
    mapping = FrozenMapping({"value": value})
    assert mapping["value"] == frozen
    assert type(mapping["value"]) is type(frozen)
    info = FexInfo(options=mapping)
    assert FexInfo.from_json(info.to_json()).options == mapping


@pytest.mark.parametrize(
    "value", [object(), len, 1j, b"bytes"], ids=["object", "function", "complex", "bytes"]
)
def test_values_that_json_lacks_are_refused(value: object) -> None:
    with pytest.raises(TypeError, match="Metadata must be text"):
        FexInfo(options={"deep": [value]})


def test_wrong_types_are_refused() -> None:
    with pytest.raises(TypeError, match="`weights` must be text"):
        FexInfo(weights=3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="`options` must be a mapping"):
        FexInfo(options=[1])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="`log` must hold"):
        FexInfo(log=("smooth",))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="Keys of the metadata"):
        FrozenMapping({1: 2})  # type: ignore[dict-item]


def test_log_is_stamped_in_utc() -> None:
    record = FULL.log[0]
    assert datetime.fromisoformat(record.time).utcoffset().total_seconds() == 0
    assert FexInfo().log == ()
    assert record.arguments == {"on": "input", "columns": ("subject",)}


# ------------------------------------------------------------------ merge
@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(FexInfo) if f.name != "log"])
def test_a_field_that_differs_becomes_none_and_no_other(field: str) -> None:
    value = getattr(FULL, field)
    changed = {**value, "more": 1} if isinstance(value, FrozenMapping) else value + "x"
    other = dataclasses.replace(FULL, **{field: changed})
    expected = dataclasses.replace(FULL, **{field: None})
    assert FexInfo.merge([FULL, other]) == expected
    assert FexInfo.merge([other, FULL]) == expected
    unknown = dataclasses.replace(FULL, **{field: None})
    assert FexInfo.merge([FULL, unknown]) == expected


def test_merge_of_equal_or_no_metadata() -> None:
    twin = FexInfo.from_json(FULL.to_json())
    assert FexInfo.merge([FULL, twin, FULL]) == FULL
    assert FexInfo.merge([FULL]) is FULL
    assert FexInfo.merge([]) == FexInfo()


def _log(*names: str, time: str | None = None) -> FexInfo:
    return FexInfo(log=tuple(Operation(n, FrozenMapping({"k": 1}), time) for n in names))


def _names(info: FexInfo) -> list[str]:
    return [str(r) for r in info.log]


def test_merged_log_is_what_all_went_through() -> None:
    merged = FexInfo.merge([_log("a", "b", time="t1"), _log("a", "b", time="t2")])
    assert _names(merged) == ["a(k=1)", "b(k=1)"]
    assert {r.time for r in merged.log} == {None}
    partly = FexInfo.merge([_log("a", "b"), _log("a", "c"), _log("a")])
    assert _names(partly) == ["a(k=1)", "in part of the table(operations=['b', 'c'])"]


def test_merging_logs_is_associative_and_repeatable() -> None:
    one, two, three = _log("a", "b"), _log("a", "c"), _log("a", "d")
    left = FexInfo.merge([FexInfo.merge([one, two]), three])
    right = FexInfo.merge([one, FexInfo.merge([two, three])])
    assert left == right == FexInfo.merge([one, two, three])
    assert FexInfo.merge([left, left]) == left
    later = left.with_log("smooth")
    again = FexInfo.merge([later, FexInfo.from_json(later.to_json())])
    assert again == later


def test_arguments_tell_operations_apart() -> None:
    one, two = FexInfo().with_log("smooth", window=3), FexInfo().with_log("smooth", window=5)
    assert _names(FexInfo.merge([one, two])) == ["in part of the table(operations=['smooth'])"]


# ------------------------------------------------------------------ JSON of others
def test_unknown_fields_of_a_later_release_are_ignored() -> None:
    data = {**FULL.to_dict(), "brand_new": [1]}
    assert FexInfo.from_dict(data) == FULL


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("[1]", "must be a JSON object"),
        ('{"version": 99}', "version 99.*update facemt-analysis"),
        ('{"version": "x"}', "version 'x'"),
        ('{"weights": 3}', "`weights` must be text"),
        ('{"log": [{"arguments": {}}]}', "not as this release writes it"),
        ('{"log": 3}', "not as this release writes it"),
        ('{"options": "x"}', "`options` must be a mapping"),
    ],
)
def test_broken_json_is_one_clear_error(text: str, message: str) -> None:
    with pytest.raises(FexError, match=message) as caught:
        FexInfo.from_json(text)
    assert "\n" not in str(caught.value)


def test_json_is_versioned_and_short() -> None:
    assert FexInfo().to_dict() == {"version": 1, "log": []}


# ------------------------------------------------------------------ for people
def test_repr_and_html_show_what_is_known_escaped() -> None:
    info = FexInfo(weights="<b>", options={"every": 2})
    assert repr(info).splitlines() == ["FexInfo", "  weights  <b>", "  options  every=2"]
    assert "&lt;b&gt;" in info._repr_html_()
    assert "<b>" not in info._repr_html_()
    assert repr(FexInfo()) == "FexInfo()"
    assert "nothing is known" in FexInfo()._repr_html_()
