"""What each model is: where its file comes from, how it is recognised, what it may be used for, what it takes.

Weights under non-commercial terms (RMBG-2.0, EdgeSAM) are left out on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

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
        url: Where it is published.
        digest: The published checksum, as ``sha256:…`` or ``md5:…``.
        licence: SPDX name of the weights' licence.
        about: One sentence for the list.
        inputs: The contract: what goes in, in the graph's order.
        outputs: What comes out; a graph may have more outputs after these.
        size: Exact bytes where they are published, else None.
        rough_size: Bytes, about, for the list and for the limit of a download.
        look: For segmenters.
        terms: A caveat to print beside the licence.
    """

    name: str
    task: Task
    url: str
    digest: str
    licence: str
    about: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    rough_size: int
    size: int | None = None
    look: Look | None = None
    terms: str = ""

    @property
    def file(self) -> str:
        """Its name in the models folder."""
        return f"{self.name}.onnx"

    @property
    def limit(self) -> int:
        """More bytes than this are certainly not the file."""
        return self.size if self.size is not None else int(1.5 * self.rough_size)


_REMBG = "https://github.com/danielgatis/rembg/releases/download/v0.0.0/"
_MIGAN = "https://huggingface.co/andraniksargsyan/migan/resolve/main/"
_LAMA = "https://huggingface.co/Carve/LaMa-ONNX/resolve/main/"
_PLACES = "trained on Places2, whose photos are for research"


def _segmenter(name: str, file: str, md5: str, licence: str, megabytes: float, look: Look, about: str) -> Model:
    return Model(
        name=name,
        task="segment",
        url=_REMBG + file,
        digest=f"md5:{md5}",
        licence=licence,
        about=about,
        inputs=(Tensor("tensor(float)", (1, 3, look.side, look.side)),),
        outputs=(Tensor("tensor(float)", (1, 1, look.side, look.side)),),
        rough_size=int(megabytes * 1e6),
        look=look,
    )


_BYTES_IN = (Tensor("tensor(uint8)", (1, 3, None, None)), Tensor("tensor(uint8)", (1, 1, None, None)))

_ALL = (
    _segmenter(
        "u2netp",
        "u2netp.onnx",
        "8e83ca70e441ab06c318d82300c84806",
        "Apache-2.0",
        4.57,
        Look(320),
        "finds the subject; small and quick",
    ),
    _segmenter(
        "silueta",
        "silueta.onnx",
        "55e59e0d8062d2f5d013f4725ee84782",
        "Apache-2.0",
        44,
        Look(320),
        "finds the subject; U2-Net made smaller",
    ),
    _segmenter(
        "isnet-general-use",
        "isnet-general-use.onnx",
        "fc16ebd8b0c10d971d3513d564d01e29",
        "Apache-2.0",
        179,
        Look(1024, mean=(0.5, 0.5, 0.5), std=(1.0, 1.0, 1.0)),
        "finds the subject with fine edges; 1 s and 1 GB",
    ),
    _segmenter(
        "birefnet-lite",
        "BiRefNet-general-bb_swin_v1_tiny-epoch_232.onnx",
        "4fab47adc4ff364be1713e97b7e66334",
        "MIT",
        224,
        Look(1024, logits=True),
        "finds the subject, best of all; 6 to 12 s and 3 to 6 GB",
    ),
    _segmenter(
        "u2net_human_seg",
        "u2net_human_seg.onnx",
        "c09ddc2e0104f800e3e1bb4652583d1f",
        "Apache-2.0",
        176,
        Look(320),
        "finds people only",
    ),
    Model(
        name="migan",
        task="fill",
        url=_MIGAN + "migan_pipeline_v2.onnx",
        digest="sha256:6f1f3530a1a2324b19752018ce756088b07973cda8d7d890034ace5c8a48c40b",
        licence="MIT",
        about="fills holes; small and quick",
        inputs=_BYTES_IN,
        outputs=(Tensor("tensor(uint8)", (1, 3, None, None)),),
        size=28079181,
        rough_size=28079181,
        terms=_PLACES,
    ),
    Model(
        name="lama",
        task="fill",
        url=_LAMA + "lama_fp32.onnx",
        digest="sha256:1faef5301d78db7dda502fe59966957ec4b79dd64e16f03ed96913c7a4eb68d6",
        licence="Apache-2.0",
        about="fills large holes; 2 s and 1.2 GB",
        inputs=(Tensor("tensor(float)", (1, 3, 512, 512)), Tensor("tensor(float)", (1, 1, 512, 512))),
        outputs=(Tensor("tensor(float)", (1, 3, 512, 512)),),
        size=208044816,
        rough_size=208044816,
        terms=_PLACES,
    ),
)

MODELS: dict[str, Model] = {model.name: model for model in _ALL}
"""Every model by its name."""

DEFAULT: tuple[str, ...] = ("u2netp", "migan")
"""The small set that MODELS=auto fetches: 33 MB."""

SEGMENTERS: tuple[str, ...] = ("birefnet-lite", "isnet-general-use", "silueta", "u2netp", "u2net_human_seg")
"""Best first: the first whose file is there and sound is used."""

FILLERS: tuple[str, ...] = ("migan", "lama")
"""MI-GAN before LaMa: better FID on Places2 (about 12 against 22, MI-GAN paper) at a sixth of the time."""
