"""Changes a model's graph before it is loaded: leaves out what one output does not need; resizes quicker.

Messages and field numbers: onnx.proto3 (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3). Only the fields that
are read here are described; all others pass through unchanged.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_FIELDS: dict[str, dict[str, tuple[int, str]]] = {
    "Model": {"graph": (7, "Graph")},
    "Graph": {"node": (1, "Node"), "initializer": (5, "Tensor"), "output": (12, "Value"), "value_info": (13, "Value")},
    "Node": {"input": (1, "string"), "output": (2, "string"), "op_type": (4, "string"), "attribute": (5, "Attribute")},
    "Attribute": {"name": (1, "string"), "s": (4, "bytes")},
    "Tensor": {"name": (8, "string")},
    "Value": {"name": (1, "string")},
}
"""For each message the fields that are read, with their numbers and types."""
_SINGLE = frozenset({"graph", "name", "op_type", "s"})
"""Fields that occur once; all others are repeated."""


def keep_output(model: bytes, index: int) -> bytes:
    """Leave out everything that an output does not need.

    Of U-2-Net's side outputs most of the last decoder stays here, because they take their size from its map's `Shape`.
    ONNX Runtime knows that size when it loads the graph, puts it in as a constant, and then drops the decoder.

    Args:
        model: An ONNX file. Its graph has no sub-graphs, and does not list its weights as inputs.
        index: Which of the graph's outputs to keep, from 0.

    Returns:
        The ONNX file of a graph whose only output this is.

    Raises:
        google.protobuf.message.DecodeError: It is no ONNX file.
        ValueError: The graph has fewer outputs.
    """
    changed = _read(model)
    graph = changed.graph
    if not 0 <= index < len(graph.output):
        raise ValueError(f"output {index} of a graph that has {len(graph.output)}")
    kept = graph.output[index].name
    needed, nodes = {kept}, []
    for node in reversed(graph.node):  # ONNX wants each node behind those whose outputs it takes
        if needed.intersection(node.output):
            needed.update(filter(None, node.input))  # an input that is left out has no name
            nodes.append(node)
    _replace(graph.node, nodes[::-1])
    _replace(graph.initializer, [tensor for tensor in graph.initializer if tensor.name in needed])
    _replace(graph.value_info, [value for value in graph.value_info if value.name in needed])
    _replace(graph.output, [graph.output[index]])
    return bytes(changed.SerializeToString())


def resize_quickly(model: bytes) -> bytes:
    """Replace the coordinate mode `pytorch_half_pixel` of each resizing node by `half_pixel`.

    The modes differ only for a side of one pixel, which no small segmenter has. ONNX Runtime has a quick operation for
    the second one alone. Measurements: docs/local-engine.md#model-memory.

    Args:
        model: An ONNX file.

    Raises:
        google.protobuf.message.DecodeError: It is no ONNX file.
    """
    changed = _read(model)
    for node in changed.graph.node:
        for attribute in node.attribute if node.op_type == "Resize" else ():
            if attribute.name == "coordinate_transformation_mode" and attribute.s == b"pytorch_half_pixel":
                attribute.s = b"half_pixel"
    return bytes(changed.SerializeToString())


def _read(model: bytes) -> Any:
    read = _message_class()()
    read.ParseFromString(model)
    return read


def _replace(field: Any, values: list[Any]) -> None:
    copies = [type(value).FromString(value.SerializeToString()) for value in values]
    del field[:]
    field.extend(copies)


@cache
def _message_class() -> Any:
    """The class of the message `Model`."""
    kinds = descriptor_pb2.FieldDescriptorProto
    types = {"string": kinds.TYPE_STRING, "bytes": kinds.TYPE_BYTES}
    file = descriptor_pb2.FileDescriptorProto(name="onnx_parts.proto", package="onnx_parts", syntax="proto3")
    for message, fields in _FIELDS.items():
        described = file.message_type.add(name=message)
        for name, (number, kind) in fields.items():
            described.field.add(
                name=name,
                number=number,
                label=kinds.LABEL_OPTIONAL if name in _SINGLE else kinds.LABEL_REPEATED,
                type=types.get(kind, kinds.TYPE_MESSAGE),
                type_name=None if kind in types else f".onnx_parts.{kind}",
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("onnx_parts.Model"))
