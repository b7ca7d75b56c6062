"""A graph is cut down to one output, and resizes quickly."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from google.protobuf.message import DecodeError

from bot.models.graph import keep_output, resize_quickly
from tests.unit.models import graphs

VALUES = np.array([1, 2, 3, 4], np.float32).reshape(1, 1, 2, 2)


def run(graph: bytes) -> dict[str, np.ndarray]:
    """The outputs of a graph by name."""
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"input": VALUES}), strict=True))


@pytest.mark.parametrize(("index", "name"), [(0, "first"), (1, "second")])
def test_one_output_stays_as_it_was(index: int, name: str) -> None:
    kept = run(keep_output(graphs.two_ways(), index))
    assert list(kept) == [name]
    np.testing.assert_array_equal(kept[name], run(graphs.two_ways())[name])


def test_what_the_output_does_not_need_is_gone() -> None:
    second = keep_output(graphs.two_ways(), 1)
    for name in (b"large", b"ten", b"Resize", b"scales", b"first"):
        assert name in graphs.two_ways()
        assert name not in second
    assert b"two" in second


def test_quick_resizing_gives_the_same_picture() -> None:
    graph = graphs.two_ways()
    quick = resize_quickly(graph)
    assert b"pytorch" in graph
    assert b"pytorch" not in quick
    np.testing.assert_array_equal(run(quick)["first"], run(graph)["first"])
    assert run(quick)["first"][0, 0, 0].tolist() == [10, 12.5, 17.5, 20]


def test_other_settings_of_a_node_stay() -> None:
    assert resize_quickly(graphs.two_ways()).count(b"linear") == 1
    assert resize_quickly(graphs.segmenter(320)).count(b"keepdims") == 1


@pytest.mark.parametrize("index", [2, -1])
def test_a_missing_output_is_an_error(index: int) -> None:
    with pytest.raises(ValueError, match=f"output {index} of a graph that has 2"):
        keep_output(graphs.two_ways(), index)


def test_what_is_no_graph_is_an_error() -> None:
    for change in (resize_quickly, lambda data: keep_output(data, 0)):
        with pytest.raises(DecodeError):
            change(b"not a graph at all")
