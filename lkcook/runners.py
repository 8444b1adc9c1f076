"""The inference runners that LiveKit's plugins register, run in this process; a worker has another process for them.

The only ones of livekit-agents 1.8.9 are those of livekit-plugins-turn-detector, whose files come from the hub.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from livekit.agents.inference_runner import _InferenceRunner

from lkcook.errors import BackendError

MULTILINGUAL = "lk_end_of_utterance_multilingual"

_started: dict[str, _InferenceRunner] = {}
_starting = threading.Lock()


class InThisProcess:
    """An `InferenceExecutor`: each runner is loaded once per process, at its first use."""

    async def do_inference(self, method: str, data: bytes) -> bytes | None:
        """What the runner of this method answers. Raises BackendError when there is none, or the runner's own error."""
        runner = await start(method)
        return await asyncio.to_thread(runner.run, data)


async def start(method: str) -> _InferenceRunner:
    """The runner of this method, its model loaded."""
    return await asyncio.to_thread(_start, _runner_class(method))


def hub_files_are_here() -> bool:
    """Whether the Hugging Face cache has all that MultilingualModel reads, in the revision that the plugin names."""
    from huggingface_hub import try_to_load_from_cache

    models = _plugin().models
    files = (f"onnx/{models.ONNX_FILENAME}", "languages.json", "tokenizer.json")
    revision = models.MODEL_REVISIONS["multilingual"]
    return all(isinstance(try_to_load_from_cache(models.HG_MODEL, file, revision=revision), str) for file in files)


def _start(kind: type[_InferenceRunner]) -> _InferenceRunner:
    with _starting:
        if kind.INFERENCE_METHOD not in _started:
            runner = kind()
            runner.initialize()
            _started[kind.INFERENCE_METHOD] = runner
        return _started[kind.INFERENCE_METHOD]


def _runner_class(method: str) -> type[_InferenceRunner]:
    registered = _InferenceRunner.registered_runners
    if method not in registered and method == MULTILINGUAL:
        # the plugin does not register it if it was imported while LIVEKIT_REMOTE_EOT_URL was set
        return _plugin().multilingual._EUORunnerMultilingual
    if method not in registered:
        raise BackendError(
            f"No plugin has registered the inference method {method!r}",
            "import the plugin before the block that uses it",
        )
    return registered[method]


def _plugin() -> Any:
    """livekit-plugins-turn-detector; LiveKit wants the main thread for the first import."""
    from livekit.plugins import turn_detector
    from livekit.plugins.turn_detector import models, multilingual  # noqa: F401

    return turn_detector
