"""What each model is: where its file comes from, how it is recognised, what it may be used for, what it takes.

Addresses, sizes, checksums and licences stand in ``published.toml`` beside this module, because set-up needs them
before any package is installed. Every file is pinned by size and SHA-256. MD5 is no pin (two files with one MD5 can be
made), so a model whose SHA-256 is not known does not belong here. Weights under non-commercial terms (RMBG-2.0,
EdgeSAM) are left out on purpose.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

Task: TypeAlias = Literal["segment", "fill"]
Dims: TypeAlias = tuple[int | None, ...]
"""A tensor's shape; None where any size is taken."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """One input or output of a graph.

    Attributes:
        kind: ONNX Runtime's name of the type, such as ``tensor(float)``.
        dims: Its shape; None stands for any.
    """

    kind: str
    dims: Dims


@dataclass(frozen=True, slots=True)
class Look:
    """How a segmenter wants its picture, and what its answer means.

    Attributes:
        side: Width and height of the square that it takes.
        mean: Subtracted from each RGB channel, after scaling to 0 … 1.
        std: Divided by, after that.
        by_peak: Scaled by the picture's brightest value instead of by 255 (rembg's way, which the files were made for).
        logits: The answer still wants a sigmoid.
    """

    side: int
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    by_peak: bool = True
    logits: bool = False


@dataclass(frozen=True, slots=True)
class Model:
    """One model file.

    Attributes:
        name: What people call it; its file is ``<name>.onnx``.
        task: What it does.
        about: One sentence for the list.
        inputs: The contract: what goes in, in the graph's order.
        outputs: What comes out; a graph may have more outputs after these.
        url: Where it is published.
        size: Its length in bytes.
        sha256: Its checksum, 64 lower-case hex digits. No file with another one is run.
        licence: SPDX name of the weights' licence.
        notice: Whose work the weights are.
        terms: A caveat to print beside the licence; may be empty.
        look: For segmenters.
    """

    name: str
    task: Task
    about: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    url: str
    size: int
    sha256: str
    licence: str
    notice: str
    terms: str = ""
    look: Look | None = None

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
    inputs: tuple[Tensor, ...],
    outputs: tuple[Tensor, ...],
    look: Look | None = None,
) -> Model:
    """Join a model's contract with the facts about its published file."""
    facts = _PUBLISHED[name]
    return Model(
        name=name,
        task=task,
        about=about,
        inputs=inputs,
        outputs=outputs,
        url=facts["url"],
        size=facts["size"],
        sha256=facts["sha256"],
        licence=facts["licence"],
        notice=facts["notice"],
        terms=facts.get("terms", ""),
        look=look,
    )


def _segmenter(name: str, look: Look, about: str) -> Model:
    picture = Tensor("tensor(float)", (1, 3, look.side, look.side))
    matte = Tensor("tensor(float)", (1, 1, look.side, look.side))
    return _model(name, "segment", about, (picture,), (matte,), look)


_BYTES_IN = (Tensor("tensor(uint8)", (1, 3, None, None)), Tensor("tensor(uint8)", (1, 1, None, None)))

_ALL = (
    _segmenter("u2netp", Look(320), "finds the subject; small and quick"),
    _segmenter("silueta", Look(320), "finds the subject; U-2-Net made smaller"),
    _segmenter(
        "isnet-general-use",
        Look(1024, mean=(0.5, 0.5, 0.5), std=(1.0, 1.0, 1.0)),
        "finds the subject with fine edges; 1 s and 1 GB",
    ),
    _segmenter("birefnet-lite", Look(1024, logits=True), "finds the subject, best of all; 6 to 12 s and 3 to 6 GB"),
    _segmenter("u2net_human_seg", Look(320), "finds people only"),
    _model(
        "migan",
        "fill",
        "fills holes; small and quick",
        _BYTES_IN,
        (Tensor("tensor(uint8)", (1, 3, None, None)),),
    ),
    _model(
        "lama",
        "fill",
        "fills large holes; 2 s and 1.2 GB",
        (Tensor("tensor(float)", (1, 3, 512, 512)), Tensor("tensor(float)", (1, 1, 512, 512))),
        (Tensor("tensor(float)", (1, 3, 512, 512)),),
    ),
)

MODELS: dict[str, Model] = {model.name: model for model in _ALL}
"""Every model by its name."""

DEFAULT: tuple[str, ...] = ("u2netp", "migan")
"""The small set that MODELS=auto fetches where it is not there: 33 MB. Set-up brings the first."""

SEGMENTERS: tuple[str, ...] = ("birefnet-lite", "isnet-general-use", "silueta", "u2netp", "u2net_human_seg")
"""Best first: the first whose file is there and sound is used."""

FILLERS: tuple[str, ...] = ("migan", "lama")
"""MI-GAN before LaMa: better FID on Places2 (about 12 against 22, MI-GAN paper) at a sixth of the time."""
