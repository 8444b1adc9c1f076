"""What a plugin offers, read from its source without importing it: an import of all of them takes ten seconds.

A model is a public class whose base is LiveKit's LLM, STT, TTS or RealtimeModel, or the same class of another plugin;
also a factory, as openai.LLM.with_ollama. Tests compare this with what an import shows.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import util
from pathlib import Path

KINDS = {"LLM": "LLM", "STT": "STT", "TTS": "TTS", "RealtimeModel": "realtime"}
_SUBPACKAGES = ("realtime", "responses")  # public beside the plugin's own name: openai.realtime.RealtimeModel
_TOLD = re.compile(r"\b[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)*_(?:KEY|KEY_ID|CREDENTIALS|ENDPOINT|HOST|REGION|URL)\b")


@dataclass(frozen=True)
class Model:
    """One class or factory as it is written in code: "groq.LLM", "openai.LLM.with_ollama".

    kind: "LLM", "STT", "TTS" or "realtime". parameters: of its constructor.
    read: environment variables its constructor reads. told: those that only its documentation or an error names,
    because the provider's SDK reads them.
    """

    name: str
    kind: str
    parameters: tuple[str, ...]
    read: tuple[str, ...]
    told: tuple[str, ...]


@cache
def models(module: str) -> tuple[Model, ...]:
    """The models of livekit.plugins.`module`; () when it is not installed."""
    root = _folder(f"livekit.plugins.{module}")
    if root is None:
        return ()
    nested = [path.parent for name in _SUBPACKAGES for path in sorted(root.rglob(f"{name}/__init__.py"))]
    packages = [(root, module), *((folder, f"{module}.{folder.name}") for folder in nested)]
    helpers = {node.name: node for path in sorted(root.rglob("*.py")) for node in _functions(_parse(path))}
    return tuple(model for folder, prefix in packages for model in _of_package(folder, prefix, helpers))


def _of_package(folder: Path, prefix: str, helpers: dict[str, ast.FunctionDef]) -> Iterator[Model]:
    for file, name in _exported(folder):
        tree = _parse(file)
        found = next((node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name), None)
        bases = [_full_name(base, _imports(tree)) for base in found.bases] if found else []
        kind = next((KINDS[base.rpartition(".")[2]] for base in bases if base.rpartition(".")[2] in KINDS), None)
        if found is None or kind is None:
            continue
        if (constructor := _constructor(found) or _inherited(bases[0])) is not None:
            yield _model(f"{prefix}.{name}", kind, constructor, helpers)
        for node in _functions(found):
            if node.name.startswith("with_") and node.decorator_list:
                yield _model(f"{prefix}.{name}.{node.name}", kind, node, helpers)


def _exported(folder: Path) -> Iterator[tuple[Path, str]]:
    """(file, class or other name) for everything that the package's __init__ takes from its own modules."""
    for node in ast.walk(_parse(folder / "__init__.py")):
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module:
            file = folder / f"{node.module}.py"
            yield from ((file, alias.name) for alias in node.names if file.is_file())


def _model(name: str, kind: str, function: ast.FunctionDef, helpers: dict[str, ast.FunctionDef]) -> Model:
    bodies = [function, *(helpers[called] for called in sorted(_calls(function)) if called in helpers)]
    read = dict.fromkeys(variable for body in bodies for variable in _read(body))
    told = dict.fromkeys(variable for body in bodies for variable in _told(body) if variable not in read)
    names = [argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)]
    return Model(name, kind, tuple(name for name in names if name not in ("self", "cls")), tuple(read), tuple(told))


def _read(function: ast.FunctionDef) -> Iterator[str]:
    """os.environ.get("X"), os.getenv("X")"""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            if ast.unparse(node.func) in ("os.environ.get", "os.getenv"):
                yield node.args[0].value


def _told(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _TOLD.findall(node.value)


def _calls(function: ast.FunctionDef) -> set[str]:
    calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    return {call.id for call in calls if isinstance(call, ast.Name)}


def _constructor(found: ast.ClassDef) -> ast.FunctionDef | None:
    return next((node for node in reversed(_functions(found)) if node.name == "__init__"), None)  # overloads come first


def _inherited(base: str) -> ast.FunctionDef | None:
    """The constructor of a class that another module of LiveKit defines."""
    module, _, name = base.rpartition(".")
    plugins = _folder("livekit.plugins")
    assert plugins is not None  # a plugin was found in it
    file = plugins.parent / f"{module.removeprefix('livekit.').replace('.', '/')}.py"
    tree = _parse(file) if file.is_file() else ast.Module([], [])
    found = next((node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name), None)
    return _constructor(found) if found else None


def _imports(tree: ast.Module) -> dict[str, str]:
    """What a name means here: {"OpenAILLM": "livekit.plugins.openai.LLM"}"""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level]
    return {alias.asname or alias.name: f"{node.module}.{alias.name}" for node in nodes for alias in node.names}


def _full_name(base: ast.expr, imports: dict[str, str]) -> str:
    """The full name of a base class, "" when it is not LiveKit's."""
    head, dot, rest = ast.unparse(base).partition(".")
    full = imports.get(head, "") + dot + rest
    return full if full.startswith("livekit.") else ""


def _functions(tree: ast.Module | ast.ClassDef) -> list[ast.FunctionDef]:
    return [node for node in tree.body if isinstance(node, ast.FunctionDef)]


@cache
def _parse(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _folder(module: str) -> Path | None:
    found = util.find_spec(module)  # imports the parents only: namespace packages, without code
    return Path(next(iter(found.submodule_search_locations))) if found and found.submodule_search_locations else None
