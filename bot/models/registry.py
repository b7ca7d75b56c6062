"""The registry of models: where each file comes from, its checksum, its licence, its inputs and outputs.

Addresses, sizes, checksums and licences are in ``published.toml`` beside this module, because set-up needs them before
any package is installed. Every file is pinned by size and SHA-256. MD5 is no pin, because two files with the same MD5
can be made; so a model whose SHA-256 is unknown is not listed. Weights under non-commercial terms (RMBG-2.0, EdgeSAM)
are excluded.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

Task: TypeAlias = Literal["segment", "fill"]
Shape: TypeAlias = tuple[int | None, ...]
"""A tensor's shape; None stands for any size."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output of a graph.

    Attributes:
        dtype: ONNX Runtime's name of the element type, such as ``tensor(float)``.
        shape: Its shape; None stands for any size.
    """

    dtype: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class SegmenterSpec:
    """How a segmenter's input is prepared, and what its output means.

    Attributes:
        side: Width and height of the input square in pixels.
        mean: Subtracted from each RGB channel, after scaling to 0 … 1.
        std: Each channel is divided by this, after that.
        by_peak: Divide by the picture's brightest value instead of by 255, as rembg does; the files were made for it.
        logits: The output consists of logits and needs a sigmoid.
        output: Which of the graph's outputs is the map; of small files it may be another one than 0. U-2-Net
            has seven: 2 is drawn at half of 0's resolution, in less than half the time
            (docs/local-engine.md#half-resolution).
    """

    side: int
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    by_peak: bool = True
    logits: bool = False
    output: int = 0


@dataclass(frozen=True, slots=True)
class Model:
    """One model file.

    Attributes:
        name: Its usual name; its file is ``<name>.onnx``.
        task: What it does.
        about: One sentence for the list.
        inputs: The inputs that the graph must have, in its order.
        outputs: The first outputs that the graph must have; it may have more. Of a small segmenter's graph only the one
            that is its map is loaded.
        url: Where it is published.
        size: Its length in bytes.
        sha256: Its checksum, 64 lower-case hex digits. A file with another checksum is not run.
        licence: SPDX name of the weights' licence.
        notice: The authors of the weights.
        terms: A caveat to print beside the licence; may be empty.
        segmenter_spec: Input and output format; None for models that fill.
    """

    name: str
    task: Task
    about: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    url: str
    size: int
    sha256: str
    licence: str
    notice: str
    terms: str = ""
    segmenter_spec: SegmenterSpec | None = None

    @property
    def file(self) -> str:
        """Its name in the models folder, and on a mirror."""
        return f"{self.name}.onnx"


_PUBLISHED: dict[str, dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("published.toml").read_text(encoding="utf-8")
)


def _model(
    name: str,
    task: Task,
    about: str,
    inputs: tuple[TensorSpec, ...],
    outputs: tuple[TensorSpec, ...],
    segmenter_spec: SegmenterSpec | None = None,
) -> Model:
    """Combine a model's inputs and outputs with the entry of its published file."""
    published = _PUBLISHED[name]
    return Model(
        name=name,
        task=task,
        about=about,
        inputs=inputs,
        outputs=outputs,
        url=published["url"],
        size=published["size"],
        sha256=published["sha256"],
        licence=published["licence"],
        notice=published["notice"],
        terms=published.get("terms", ""),
        segmenter_spec=segmenter_spec,
    )


def _segmenter(name: str, spec: SegmenterSpec, about: str) -> Model:
    picture = TensorSpec("tensor(float)", (1, 3, spec.side, spec.side))
    matte = TensorSpec("tensor(float)", (1, 1, spec.side, spec.side))
    return _model(name, "segment", about, (picture,), (matte,), spec)


_BYTES_IN = (TensorSpec("tensor(uint8)", (1, 3, None, None)), TensorSpec("tensor(uint8)", (1, 1, None, None)))

_ALL = (
    _segmenter("u2netp", SegmenterSpec(320, output=2), "finds the subject; small and quick"),
    _segmenter("silueta", SegmenterSpec(320), "finds the subject; U-2-Net made smaller"),
    _segmenter(
        "isnet-general-use",
        SegmenterSpec(1024, mean=(0.5, 0.5, 0.5), std=(1.0, 1.0, 1.0)),
        "finds the subject with fine edges; 1 s and 1 GB",
    ),
    _segmenter(
        "birefnet-lite", SegmenterSpec(1024, logits=True), "finds the subject, best of all; 6 to 12 s and 3 to 6 GB"
    ),
    _segmenter("u2net_human_seg", SegmenterSpec(320), "finds people only"),
    _model(
        "migan",
        "fill",
        "fills holes; small and quick",
        _BYTES_IN,
        (TensorSpec("tensor(uint8)", (1, 3, None, None)),),
    ),
    _model(
        "lama",
        "fill",
        "fills large holes; 2 s and 1.2 GB",
        (TensorSpec("tensor(float)", (1, 3, 512, 512)), TensorSpec("tensor(float)", (1, 1, 512, 512))),
        (TensorSpec("tensor(float)", (1, 3, 512, 512)),),
    ),
)

MODELS: dict[str, Model] = {model.name: model for model in _ALL}
"""Every model by its name."""

DEFAULT_MODELS: tuple[str, ...] = ("u2netp", "migan")
"""The models that MODELS=auto downloads where they are missing: 33 MB. Set-up fetches the first."""

SEGMENTERS: tuple[str, ...] = ("birefnet-lite", "isnet-general-use", "silueta", "u2netp", "u2net_human_seg")
"""Segmenters, best first. The first one whose file is present and intact is used."""

FILLERS: tuple[str, ...] = ("migan", "lama")
"""Fillers, best first. MI-GAN precedes LaMa: it has a better FID on Places2 (about 12 against 22, MI-GAN paper) at a
sixth of the time."""
