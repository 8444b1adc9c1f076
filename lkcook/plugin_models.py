"""What providers' own clients call language models, which is not what LiveKit Inference calls them ("gpt-4o").

The plugins' literals are read, not imported: a package takes seconds to import, in which a gateway would serve nobody.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from lkcook.catalog import values_of

# Ollama has no list: it serves what was pulled. These are taken for the sake of a recipe, and answered by whatever
# model is really here; every other name is refused, as Ollama refuses what was not pulled.
OLLAMA = {
    "llama3.1": "the default of openai.LLM.with_ollama",
    "llama3.2": "what Ollama's and LiveKit's documentation pull first",
}

# Amazon's plugin has no list either: it passes any id on. These are of Bedrock's own table of models that converse, as
# https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html has them.
BEDROCK = (
    "amazon.nova-2-lite-v1:0",
    "amazon.nova-premier-v1:0",
    "amazon.nova-pro-v1:0",
    "amazon.nova-lite-v1:0",
    "amazon.nova-micro-v1:0",
    "anthropic.claude-sonnet-5",
    "anthropic.claude-opus-4-8",
    "anthropic.claude-opus-4-7",
    "anthropic.claude-opus-4-6-v1",
    "anthropic.claude-sonnet-4-6",
    "anthropic.claude-opus-4-5-20251101-v1:0",
    "anthropic.claude-sonnet-4-5-20250929-v1:0",
    "anthropic.claude-haiku-4-5-20251001-v1:0",
    "anthropic.claude-opus-4-1-20250805-v1:0",
    "anthropic.claude-sonnet-4-20250514-v1:0",
    "anthropic.claude-3-7-sonnet-20250219-v1:0",
    "anthropic.claude-3-5-sonnet-20241022-v2:0",
    "anthropic.claude-3-5-sonnet-20240620-v1:0",  # of LiveKit's documentation
    "anthropic.claude-3-5-haiku-20241022-v1:0",
    "anthropic.claude-3-haiku-20240307-v1:0",
    "deepseek.r1-v1:0",
    "deepseek.v3-v1:0",
    "meta.llama3-3-70b-instruct-v1:0",
    "meta.llama4-maverick-17b-instruct-v1:0",
    "meta.llama4-scout-17b-instruct-v1:0",
    "openai.gpt-oss-120b-1:0",
    "openai.gpt-oss-20b-1:0",
    "qwen.qwen3-32b-v1:0",
)
_REGION = re.compile(r"(?:us|us-gov|eu|apac|au|ca|jp|global)\.")


@cache
def openai(*, responses: bool = False) -> tuple[str, ...]:
    """Of OpenAI's plugin and its SDK. responses: with those that only the Responses API has."""
    from openai.types.shared import ChatModel, ResponsesModel

    known = [*literal("openai", "ChatModels"), *values_of(ChatModel)]
    return tuple(dict.fromkeys(known + values_of(ResponsesModel) if responses else known))


@cache
def anthropic() -> tuple[str, ...]:
    """Of Anthropic's plugin; none when it is not installed."""
    return literal("anthropic", "ChatModels")


def gemini() -> tuple[str, ...]:
    """Of Google's plugin, for generateContent."""
    return literal("google", "ChatModels")


def ollama(here: str) -> tuple[str, ...]:
    """`here`: the name of the model on this machine."""
    return (here, *OLLAMA)


def without_tag(name: str) -> str:
    """Ollama's "llama3.2:latest" is its "llama3.2"."""
    return name.removesuffix(":latest")


def without_region(name: str) -> str:
    """Bedrock's "us.amazon.nova-pro-v1:0", or the ARN of that, is its "amazon.nova-pro-v1:0", answered anywhere."""
    own = name.rpartition("/")[2] if name.startswith("arn:") else name
    return _REGION.sub("", own, count=1) if _REGION.match(own) else own


def nearest(name: str, known: Iterable[str]) -> str:
    """The one of `known` that `name` most resembles; "" when none is known."""
    return next(iter(difflib.get_close_matches(name, list(known), 1, 0.0)), "")


@cache
def literal(plugin: str, name: str) -> tuple[str, ...]:
    """The strings of `name = Literal[...]` in the plugin's models.py; none when it is not installed."""
    return tuple(
        value.value
        for node in _tree(plugin, "models.py").body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
        for value in ast.walk(node.value)
        if isinstance(value, ast.Constant) and isinstance(value.value, str)
    )


@cache
def default(plugin: str, factory: str) -> tuple[str, ...]:
    """The model that LLM.`factory` takes when none is named, where the plugin lists no others."""
    return tuple(
        value.value
        for node in ast.walk(_tree(plugin, "llm.py"))
        if isinstance(node, ast.FunctionDef) and node.name == factory
        for argument, value in zip(node.args.kwonlyargs, node.args.kw_defaults)
        if argument.arg == "model" and isinstance(value, ast.Constant)
    )


def _tree(plugin: str, file: str) -> ast.Module:
    spec = find_spec(f"livekit.plugins.{plugin}")
    if spec is None or spec.origin is None:
        return ast.Module([], [])
    return ast.parse(Path(spec.origin).with_name(file).read_text(encoding="utf-8"))
