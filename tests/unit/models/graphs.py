"""Tiny ONNX files with the true models' names, shapes, types and mask polarity, written field by field.

Field numbers are those of onnx.proto3 (github.com/onnx/onnx); so no test needs the package that builds graphs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

FLOAT, UINT8, BOOL = 1, 2, 9
Dims = Sequence[int | str]


SEGMENTER_OUTPUTS = 7
"""How many U-2-Net has."""


def segmenter(
    side: int,
    *,
    kind: int = FLOAT,
    planes: int = 1,
    logits: bool = False,
    outputs: int = SEGMENTER_OUTPUTS,
    shown: int | None = None,
) -> bytes:
    """Bright pixels are the subject: the mean over the channels; as logits where the contract says so.

    `shown` is the only output that shows this, and the others are 0; None: all show it.
    """
    scale = 4.0 if logits else 1.0
    names = [str(1959 + index) for index in range(outputs)]
    factors = ["scale" if shown in (None, index) else "none" for index in range(outputs)]
    nodes = [
        _node("ReduceMean", ["input.1"], ["grey"], ints={"axes": [1]}, integers={"keepdims": 1}),
        *(_node("Mul", ["grey", factor], [name]) for factor, name in zip(factors, names, strict=True)),
    ]
    return _model(
        nodes,
        [("input.1", kind, (1, 3, side, side))],
        [(name, FLOAT, (1, planes, side, side)) for name in names],
        {"scale": np.array([scale], np.float32), "none": np.zeros(1, np.float32)},
    )


def two_ways() -> bytes:
    """Two outputs: the input ten times as bright and twice as wide and high; the input twice as bright."""
    nodes = [
        _node("Mul", ["input", "ten"], ["large"]),
        _node(
            "Resize",
            ["large", "", "scales"],
            ["first"],
            texts={"coordinate_transformation_mode": "pytorch_half_pixel", "mode": "linear"},
        ),
        _node("Mul", ["input", "two"], ["second"]),
    ]
    return _model(
        nodes,
        [("input", FLOAT, (1, 1, 2, 2))],
        [("first", FLOAT, (1, 1, 4, 4)), ("second", FLOAT, (1, 1, 2, 2))],
        {
            "ten": np.array([10], np.float32),
            "scales": np.array([1, 1, 2, 2], np.float32),
            "two": np.array([2], np.float32),
        },
    )


def migan(*, kind: int = UINT8) -> bytes:
    """MI-GAN's pipeline: where the mask is 255 the image is KEPT; elsewhere green."""
    nodes = [
        _node("Cast", ["mask"], ["keep"], integers={"to": BOOL}),
        _node("Where", ["keep", "image", "paint"], ["result"]),
    ]
    paint = np.array([0, 200, 0], np.uint8 if kind == UINT8 else np.float32).reshape(1, 3, 1, 1)
    any_image: Dims = ("batch", 3, "height", "width")
    return _model(
        nodes,
        [("image", kind, any_image), ("mask", kind, ("batch", 1, "height", "width"))],
        [("result", kind, any_image)],
        {"paint": paint},
    )


def lama() -> bytes:
    """LaMa: a fixed 512 square, image 0 … 1, mask 1 = FILL; the answer in 0 … 255, with blue in the hole."""
    nodes = [
        _node("Cast", ["mask"], ["hole"], integers={"to": BOOL}),
        _node("Mul", ["image", "full"], ["bytes"]),
        _node("Where", ["hole", "paint", "bytes"], ["output"]),
    ]
    return _model(
        nodes,
        [("image", FLOAT, (1, 3, 512, 512)), ("mask", FLOAT, (1, 1, 512, 512))],
        [("output", FLOAT, (1, 3, 512, 512))],
        {"full": np.array([255], np.float32), "paint": np.array([0, 0, 180], np.float32).reshape(1, 3, 1, 1)},
    )


def padding(count: int) -> bytes:
    """Documentation of at least this many bytes, which makes a model's file larger and changes nothing else."""
    return _bytes(6, b"x" * count)


def _model(
    nodes: Sequence[bytes],
    inputs: Sequence[tuple[str, int, Dims]],
    outputs: Sequence[tuple[str, int, Dims]],
    constants: dict[str, np.ndarray],
) -> bytes:
    graph = b"".join(_bytes(1, node) for node in nodes) + _text(2, "tiny")
    graph += b"".join(_bytes(5, _constant(name, array)) for name, array in constants.items())
    graph += b"".join(_bytes(11, _value(*value)) for value in inputs)
    graph += b"".join(_bytes(12, _value(*value)) for value in outputs)
    return _integer(1, 8) + _bytes(8, _text(1, "") + _integer(2, 13)) + _bytes(7, graph)


def _node(
    operator: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    *,
    integers: dict[str, int] | None = None,
    ints: dict[str, Sequence[int]] | None = None,
    texts: dict[str, str] | None = None,
) -> bytes:
    parts = [_text(1, name) for name in inputs] + [_text(2, name) for name in outputs] + [_text(4, operator)]
    for name, value in (integers or {}).items():
        parts.append(_bytes(5, _text(1, name) + _integer(3, value) + _integer(20, 2)))
    for name, values in (ints or {}).items():
        parts.append(_bytes(5, _text(1, name) + b"".join(_integer(8, value) for value in values) + _integer(20, 7)))
    for name, text in (texts or {}).items():
        parts.append(_bytes(5, _text(1, name) + _text(4, text) + _integer(20, 3)))
    return b"".join(parts)


def _value(name: str, kind: int, dims: Dims) -> bytes:
    shape = b"".join(_bytes(1, _integer(1, dim) if isinstance(dim, int) else _text(2, dim)) for dim in dims)
    return _text(1, name) + _bytes(2, _bytes(1, _integer(1, kind) + _bytes(2, shape)))


def _constant(name: str, array: np.ndarray) -> bytes:
    kind = FLOAT if array.dtype == np.float32 else UINT8
    dims = b"".join(_integer(1, dim) for dim in array.shape)
    return dims + _integer(2, kind) + _text(8, name) + _bytes(9, array.tobytes())


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _integer(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())
