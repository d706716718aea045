"""Who may import whom: the architecture of the package, read from the code itself."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "facemt_analysis"

# room -> rooms it may import at module level (data flows one way)
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "schema": set(),
    "checks": {"errors", "schema"},
    "network": {"errors", "schema", "checks"},
    "fex": {"errors", "schema"},
    "io": {"errors", "schema", "fex"},
    "detection": {"errors", "schema", "checks", "network", "fex"},
    "signal": {"errors", "schema", "checks"},
    "measures": {"errors", "schema", "checks", "signal"},
    "stats": {"errors", "schema", "checks", "signal", "measures"},
    "accessors": {"errors", "schema", "checks"},
    "simulate": {"errors", "schema", "fex"},
    "datasets": {"errors", "schema", "fex", "io", "simulate"},
    "study": {"errors", "schema", "checks", "fex", "io"},
    "plotting": {"errors", "schema", "checks", "signal", "measures", "stats"},
    "interactive": {
        "errors",
        "schema",
        "checks",
        "fex",
        "detection",
        "signal",
        "measures",
        "stats",
        "plotting",
    },
    "benchmark": {
        "errors",
        "schema",
        "checks",
        "network",
        "fex",
        "io",
        "detection",
        "simulate",
        "plotting",
    },
    "demo": set(),  # composes everything, imports inside functions
    "cli": {"errors", "schema"},
}
# rooms a function of this room may import when it runs: thin views call the engines
LAZY_EVERYTHING = {"", "fex", "accessors", "cli", "demo", "datasets"}
LAZY_EXTRA: dict[str, set[str]] = {
    "detection": {"io"},
    "interactive": {"io", "network", "simulate"},
    "study": {"accessors", "detection"},
    "plotting": {"simulate"},  # where on the mesh an action unit acts
}


def _room(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    room = "" if parts == ("__init__",) else parts[0]
    return "fex" if room == "_info" else room


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def _imports(tree: ast.Module) -> list[tuple[str, bool, int]]:
    """(imported dotted name, at module level, line) for every import outside TYPE_CHECKING."""
    found: list[tuple[str, bool, int]] = []

    def visit(node: ast.AST, top: bool) -> None:
        if _is_type_checking(node):
            return
        if isinstance(node, ast.Import):
            found.extend((alias.name, top, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            if node.module == "facemt_analysis":
                found.extend((f"facemt_analysis.{a.name}", top, node.lineno) for a in node.names)
            else:
                found.append((node.module or "", top, node.lineno))
        inner = top and not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            visit(child, inner)

    visit(tree, True)
    return found


MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_follow_the_flow(path: Path) -> None:
    room = _room(path)
    assert room == "" or room in ALLOWED, f"{path.name}: a room the architecture does not know"
    wrong = []
    for name, at_top, line in _imports(ast.parse(path.read_text())):
        parts = name.split(".")
        if parts[0] != "facemt_analysis" or len(parts) < 2 or parts[1].startswith("__"):
            continue
        target = "fex" if parts[1] == "_info" else parts[1]
        if target == room:
            continue
        allowed = ALLOWED.get(room, set())
        if not at_top:
            allowed = allowed | LAZY_EXTRA.get(room, set())
            if room in LAZY_EVERYTHING:
                continue
        if target not in allowed:
            wrong.append(f"line {line}: {room or 'facemt_analysis'} imports {target}")
    assert not wrong, wrong


@pytest.mark.parametrize("room", ["stats", "measures", "signal", "simulate"])
def test_engines_do_not_draw(room: str) -> None:
    paths = [p for p in MODULES if _room(p) == room]
    drawing = {"matplotlib", "seaborn", "plotly", "ipywidgets"}
    for path in paths:
        names = {name.split(".")[0] for name, _, _ in _imports(ast.parse(path.read_text()))}
        assert not names & drawing, path


HEAVY = ("torch", "timm", "cv2", "av", "PIL", "plotly", "ipywidgets", "matplotlib", "statsmodels",
         "seaborn", "scipy", "huggingface_hub", "safetensors", "pyarrow.dataset")  # fmt: skip


def _run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.strip()


def test_import_is_light() -> None:
    # what pandas itself pulls in is not ours to forbid
    code = (
        "import sys, pandas; before = set(sys.modules)\n"
        "import facemt_analysis as fm; fm.Fex; fm.read_fex\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules and m not in before])"
    )
    assert _run(code) == "[]"


def test_import_takes_no_longer_than_pandas_by_half() -> None:
    # processor time, in turn: a busy machine slows both alike
    code = "import time; t = time.process_time(); import {module}; print(time.process_time() - t)"
    ours = "facemt_analysis, facemt_analysis.fex"
    best = {"pandas": float("inf"), ours: float("inf")}
    for _ in range(5):
        for module in best:
            best[module] = min(best[module], float(_run(code.format(module=module))))
    assert best[ours] < 1.5 * best["pandas"], best


def test_every_public_name_resolves() -> None:
    code = (
        "import facemt_analysis as fm\n"
        "print([n for n in fm.__all__ if getattr(fm, n, None) is None])\n"
        "print(sorted(set(fm.__all__) - set(dir(fm))))"
    )
    assert _run(code).splitlines() == ["[]", "[]"]


def test_no_function_is_hidden_by_its_file() -> None:
    # a module imported first takes the place of a function of its name in the package
    code = (
        "import importlib, pkgutil, types\n"
        "for room in ('signal', 'measures', 'stats', 'plotting', 'io', 'study'):\n"
        "    package = importlib.import_module(f'facemt_analysis.{room}')\n"
        "    for module in pkgutil.iter_modules(package.__path__):\n"
        "        importlib.import_module(f'{package.__name__}.{module.name}')\n"
        "    print([n for n in package.__all__\n"
        "           if isinstance(getattr(package, n), types.ModuleType)])"
    )
    assert set(_run(code).splitlines()) == {"[]"}
