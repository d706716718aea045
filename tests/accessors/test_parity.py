"""Accessors are thin: every method hands its arguments to one public function of the engine.

Read from the code (no loops, few lines, one engine call), from the signatures (same defaults), and
from what arrives when the method is called (a recorder in the engine's place).
"""

from __future__ import annotations

import ast
import importlib
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import facemt_analysis as fm
from facemt_analysis.accessors.base import Accessor
from facemt_analysis.errors import MissingGroupError
from facemt_analysis.fex import Fex
from facemt_analysis.fex.views import Views

ENGINES = ("measures", "signal", "stats", "plotting", "interactive")
VIEWS = sorted(name for name, value in vars(Views).items() if isinstance(value, property))


def accessor_class(view: str) -> type[Accessor]:
    module = importlib.import_module(f"facemt_analysis.accessors.{view}")
    (found,) = (getattr(module, name) for name in module.__all__)
    return found


def public(cls: type) -> list[str]:
    return [n for n, v in vars(cls).items() if not n.startswith("_") and inspect.isfunction(v)]


METHODS = [(view, name) for view in VIEWS for name in public(accessor_class(view))]
IDS = [f"{view}.{name}" for view, name in METHODS]


def tree(view: str, name: str) -> ast.FunctionDef:
    source = textwrap.dedent(inspect.getsource(getattr(accessor_class(view), name)))
    (node,) = ast.parse(source).body
    assert isinstance(node, ast.FunctionDef)
    return node


def imported(node: ast.FunctionDef) -> list[tuple[str, str]]:
    """(package, name) of what the method takes from the engines' front doors."""
    return [
        (statement.module, alias.name)
        for statement in ast.walk(node)
        if isinstance(statement, ast.ImportFrom)
        and statement.module in {f"facemt_analysis.{room}" for room in ENGINES}
        for alias in statement.names
    ]


def engine_of(view: str, name: str) -> tuple[Any, str, Callable[..., Any]]:
    """The engine's function: the one whose result the method is about."""
    node = tree(view, name)
    called = {c.func.id for c in ast.walk(node) if isinstance(c, ast.Call) and _plain(c.func)}
    found = [(module, name) for module, name in imported(node) if name in called]
    found = [f for f in found if f[1] != "one_face"]  # picks rows, for a figure of one face
    assert len(found) == 1, found
    module = importlib.import_module(found[0][0])
    return module, found[0][1], getattr(module, found[0][1])


def _plain(function: ast.expr) -> bool:
    return isinstance(function, ast.Name)


# ------------------------------------------------------------------ read from the code
@pytest.mark.parametrize(("view", "name"), METHODS, ids=IDS)
def test_a_method_is_documented_typed_and_short(view: str, name: str) -> None:
    function = getattr(accessor_class(view), name)
    assert function.__doc__
    assert ":func:" in function.__doc__ or ":class:" in function.__doc__
    signature = inspect.signature(function)
    assert signature.return_annotation is not inspect.Signature.empty
    for parameter in list(signature.parameters.values())[1:]:
        assert parameter.annotation is not inspect.Parameter.empty, parameter
    body = [s for s in tree(view, name).body[1:] if not isinstance(s, (ast.Import, ast.ImportFrom))]
    assert len(body) <= 6, "more than picking columns, calling the engine and wrapping"


@pytest.mark.parametrize(("view", "name"), METHODS, ids=IDS)
def test_a_method_holds_no_algorithm(view: str, name: str) -> None:
    loops = (ast.For, ast.While, ast.comprehension, ast.BinOp, ast.With, ast.Try, ast.Lambda)
    for node in ast.walk(tree(view, name)):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            continue  # annotations
        assert not isinstance(node, loops), ast.dump(node)[:200]


@pytest.mark.parametrize(("view", "name"), METHODS, ids=IDS)
def test_a_method_calls_one_documented_function_with_its_defaults(view: str, name: str) -> None:
    _, engine_name, engine = engine_of(view, name)
    assert engine.__doc__, engine_name
    ours = inspect.signature(getattr(accessor_class(view), name)).parameters
    theirs = dict(list(inspect.signature(engine).parameters.items())[1:])  # the first: the table
    for parameter in list(ours.values())[1:]:
        if parameter.name not in theirs or parameter.kind is parameter.VAR_KEYWORD:
            continue
        default = theirs[parameter.name].default
        if default is inspect.Parameter.empty:
            continue  # the accessor chooses, or fills it from the table
        assert parameter.default == default, parameter.name


@pytest.mark.parametrize("view", VIEWS)
def test_completion_is_short_and_holds_methods_only(view: str) -> None:
    cls = accessor_class(view)
    names = [n for n in dir(cls) if not n.startswith("_")]
    assert len(names) <= 20
    assert sorted(names) == sorted([*public(cls), "group"])
    assert cls.__doc__


# ------------------------------------------------------------------ what arrives
@pytest.fixture(scope="module")
def fex() -> Fex:
    study, _ = fm.simulate_study(n_subjects=2, duration=4, seed=1)
    rng = np.random.default_rng(0)
    points = {"meshes": rng.random((len(study), 1434), np.float32)}
    from facemt_analysis.fex import fex_from_blocks

    mesh = fex_from_blocks(points, pd.DataFrame(index=study.index), study.info)
    return Fex(pd.concat([study, pd.DataFrame(mesh)], axis=1), info=study.info)


class Arrived(Exception):
    """Carries what the engine was called with."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        self.arguments = arguments


@pytest.mark.parametrize(("view", "name"), METHODS, ids=IDS)
def test_arguments_arrive_unchanged(
    view: str, name: str, fex: Fex, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, engine_name, engine = engine_of(view, name)
    theirs = inspect.signature(engine)

    def recorder(*args: Any, **kwargs: Any) -> None:
        raise Arrived(dict(theirs.bind(*args, **kwargs).arguments))

    monkeypatch.setattr(module, engine_name, recorder)
    picks = any(name == "one_face" for _, name in imported(tree(view, name)))
    one = fex.select(fex.recordings[0]) if picks else fex
    method = getattr(getattr(one, view), name)
    given: dict[str, Any] = {
        p.name: f"<{p.name}>"
        for p in inspect.signature(method).parameters.values()
        if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
        and not (picks and p.name in ("recording", "track"))
    }
    given |= PICKED.get(f"{view}.{name}", {})
    with pytest.raises(Arrived) as caught:
        method(**given)
    first, *_ = caught.value.arguments.values()
    arrived = dict(list(caught.value.arguments.items())[1:])
    flat = {**arrived, **arrived.get("options", {}), **arrived.get("changes", {})}
    for parameter, value in given.items():
        if parameter in flat:
            assert flat[parameter] == value, parameter
        else:  # under another name
            assert value in [v for v in flat.values() if isinstance(v, (str, list))], parameter
    assert first is fex or (picks and isinstance(first, pd.DataFrame)) or name == "aligned"


# methods that look the columns up first
PICKED: dict[str, dict[str, Any]] = {"blendshape.events": {"shapes": ["jawOpen"]}}

# methods that need more than defaults to run
ARGUMENTS: dict[str, dict[str, Any]] = {"au.cooccurrence": {"aus": ["AU06", "AU12"]}}
RUN = [
    (view, name) for view, name in METHODS
    if view in ("au", "emotion", "affect", "gaze", "pose", "mesh", "blendshape", "quality")
    and name not in ("plot", "heatmap", "animate", "movie")
    and f"{view}.{name}" not in PICKED
    and (view, name) not in (("mesh", "aligned"), ("quality", "exclude"))  # give a part of a result
]  # fmt: skip


@pytest.mark.parametrize(("view", "name"), RUN, ids=[f"{v}.{n}" for v, n in RUN])
def test_a_measure_is_what_the_engine_gives(view: str, name: str, fex: Fex) -> None:
    engine = engine_of(view, name)[2]
    given = ARGUMENTS.get(f"{view}.{name}", {})
    got = getattr(getattr(fex, view), name)(**given)
    extra = {}
    needed = inspect.signature(engine).parameters
    if "convention" in needed:
        from facemt_analysis.measures import rotation_convention

        extra["convention"] = rotation_convention(fex.info.conventions)
    expected = engine(fex, **given, **extra)
    if isinstance(got, pd.DataFrame):
        pd.testing.assert_frame_equal(got, expected)
        assert type(got) is pd.DataFrame
    elif isinstance(got, pd.Series):
        pd.testing.assert_series_equal(got, expected)
    elif isinstance(got, np.ndarray):
        np.testing.assert_array_equal(got, expected)
    else:
        assert type(got) is type(expected)


@pytest.mark.parametrize("view", VIEWS)
def test_a_missing_group_says_what_is_there(view: str) -> None:
    cls = accessor_class(view)
    poor = Fex({"frame": [0], "time": [0.0]})
    if cls.group is None:
        assert isinstance(getattr(poor, view), cls)
        return
    assert not hasattr(poor, view)
    with pytest.raises(MissingGroupError, match=f"has no '{cls.group}'; it has keys.*come from"):
        getattr(poor, view)


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_shows_itself_and_keeps_nothing(view: str, fex: Fex) -> None:
    one, other = getattr(fex, view), getattr(fex, view)
    assert one is not other
    assert list(vars(one)) == ["_fex"]
    text = repr(one)
    assert all(f".{name}" in text for name in public(type(one)))
    assert type(one).__name__ in one._repr_html_()
