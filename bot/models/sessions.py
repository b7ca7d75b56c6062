"""Runs models in ONNX Runtime sessions, which load on first use and unload when idle.

Memory and speed: docs/local-engine.md#model-memory.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import structlog
from numpy.typing import NDArray

from bot.imaging.heap import release_free_heap
from bot.models.files import is_intact
from bot.models.registry import MODELS, Model, TensorSpec

log = structlog.get_logger()

THREADS = 2
"""Threads of one session; pool workers use the other cores."""
IDLE_SECONDS = 120.0
"""Seconds after which an unused session is unloaded: MI-GAN holds 0.7 GB while it is loaded."""
SMALL_BYTES = 10_000_000
"""A model file up to this size stays loaded beside a larger one (u2netp holds 60 to 100 MB between two uses). Otherwise
finding a subject and filling its hole in turn would load both again for each photo."""

_MAX_ARENA_SIDE = 320
"""Segmenters with an input square up to this size use ONNX Runtime's memory arena; larger ones were not measured."""


class GraphMismatchError(Exception):
    """The graph's inputs or outputs differ from those in the registry."""


class GraphRunner(Protocol):
    """A loaded graph."""

    def __call__(self, *inputs: NDArray[Any], keep_memory: bool = False) -> list[NDArray[Any]]:
        """Run once on inputs in the graph's order; `keep_memory`: keep the working memory for the next run."""
        ...


@dataclass(frozen=True, slots=True)
class _LoadedModel:
    path: Path
    changed: int
    runner: GraphRunner
    small: bool


class Sessions:
    """The loaded sessions of one process: at most one small and one large model, so that memory stays bounded.

    Args:
        idle_seconds: Seconds without use after which all sessions are unloaded.
        threads: Threads that one run may use.
    """

    def __init__(self, idle_seconds: float = IDLE_SECONDS, threads: int = THREADS) -> None:
        self._idle_seconds = idle_seconds
        self._threads = threads
        self._lock = threading.RLock()
        self._loaded: list[_LoadedModel] = []
        self._timer: threading.Timer | None = None
        self._warned: set[tuple[Path, str]] = set()

    def run(
        self, name: str, folder: Path, *inputs: NDArray[Any], keep_memory: bool = False
    ) -> list[NDArray[Any]] | None:
        """Run a model.

        Args:
            name: The model's name in the registry.
            folder: Folder of the model files.
            inputs: The model's inputs, in the registry's order.
            keep_memory: Keep the working memory, because another run of the model follows at once.

        Returns:
            The outputs; None where the file is missing, damaged or of another shape, or the run fails. The caller then
            uses the next best method. Each reason is logged once per process.
        """
        model = MODELS[name]
        with self._lock:
            try:
                runner = self._runner(model, folder / model.file)
                return None if runner is None else runner(*inputs, keep_memory=keep_memory)
            except Exception as error:  # noqa: BLE001 - ONNX Runtime's exceptions share no base class
                self.unload()
                self._warn_once(model, folder / model.file, f"{type(error).__name__}: {str(error)[:200]}")
                return None
            finally:
                self._restart_idle_timer()

    def unload(self) -> None:
        """Unload all models."""
        with self._lock:
            self._loaded = []

    def close(self) -> None:
        """Unload all models and stop the idle timer."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self.unload()

    @property
    def is_loaded(self) -> bool:
        """Whether a model is loaded."""
        return bool(self._loaded)

    def _runner(self, model: Model, path: Path) -> GraphRunner | None:
        if not path.is_file():
            return None
        changed = path.stat().st_mtime_ns
        for loaded in self._loaded:
            if (loaded.path, loaded.changed) == (path, changed):
                return loaded.runner
        if not is_intact(model, path):
            self._warn_once(model, path, "size or checksum is not the published one")
            return None
        small = path.stat().st_size <= SMALL_BYTES
        self._loaded = [loaded for loaded in self._loaded if loaded.small != small]
        runner = _load(model, path, self._threads)
        self._loaded.append(_LoadedModel(path, changed, runner, small))
        log.info("model_loaded", name=model.name)
        return runner

    def _restart_idle_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._loaded:
            self._timer = threading.Timer(self._idle_seconds, self.unload)
            self._timer.daemon = True
            self._timer.start()

    def _warn_once(self, model: Model, path: Path, why: str) -> None:
        if (path, why) not in self._warned:
            self._warned.add((path, why))
            log.warning("model_unusable", name=model.name, path=str(path), why=why)


def _load(model: Model, path: Path, threads: int) -> GraphRunner:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # With ONNX Runtime's defaults (arena and pattern) MI-GAN peaks at 1230 MB instead of 690 MB, IS-Net at 1350 instead
    # of 900, u2netp at 495 instead of 315. With the arena alone u2netp peaks no higher, and a run that follows another
    # one is a fifth faster, because it need not request zeroed pages from the kernel again.
    uses_arena = model.segmenter_spec is not None and model.segmenter_spec.side <= _MAX_ARENA_SIDE
    options.enable_cpu_mem_arena = uses_arena
    options.enable_mem_pattern = False
    # Spinning threads would occupy a core that another worker could use.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    # A large file's bytes would be in memory twice while it is loaded.
    is_small = path.stat().st_size <= SMALL_BYTES
    source = _quick_graph(model, path) if uses_arena and is_small else str(path)
    session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    _check_tensors(model.inputs, session.get_inputs(), exact=True)
    _check_tensors(model.outputs, session.get_outputs(), exact=False)
    names = [tensor.name for tensor in session.get_inputs()]
    outputs = session.get_outputs()[: len(model.outputs)]
    own_arrays = uses_arena and all(_is_fixed(tensor.shape) for tensor in outputs)
    shrink_arena = onnxruntime.RunOptions()
    if uses_arena:
        # After the last run the memory returns to the system: else 160 MB would add to the matting's and the fill's.
        shrink_arena.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def runner(*inputs: NDArray[Any], keep_memory: bool = False) -> list[NDArray[Any]]:
        feeds = dict(zip(names, inputs, strict=True))
        run_options = None if keep_memory else shrink_arena
        if own_arrays:
            answers = _run_into_own_arrays(session, feeds, outputs, run_options)
        else:
            answers = session.run([tensor.name for tensor in outputs], feeds, run_options)
        if not keep_memory:
            release_free_heap()
        return [np.asarray(answer) for answer in answers]

    return runner


def _quick_graph(model: Model, path: Path) -> bytes:
    """The part of a segmenter's graph that gives its map, with quick resizing."""
    from bot.models import graph  # google.protobuf takes 0.1 s to import; without a model it is not needed

    assert model.segmenter_spec is not None
    return graph.resize_quickly(graph.keep_output(path.read_bytes(), model.segmenter_spec.output))


def _run_into_own_arrays(
    session: Any, feeds: dict[str, NDArray[Any]], outputs: Sequence[Any], run_options: Any
) -> list[NDArray[np.float32]]:
    """Run with outputs that are not in the arena. In the arena they would keep a part of it from being freed."""
    binding = session.io_binding()
    for name, values in feeds.items():
        binding.bind_cpu_input(name, values)
    answers = [np.empty(tensor.shape, np.float32) for tensor in outputs]
    for tensor, answer in zip(outputs, answers, strict=True):
        binding.bind_output(tensor.name, "cpu", 0, np.float32, answer.shape, answer.ctypes.data)
    session.run_with_iobinding(binding, run_options)
    return answers


def _is_fixed(shape: Sequence[int | str | None]) -> bool:
    """Whether a graph says the size of each axis."""
    return bool(shape) and all(isinstance(size, int) for size in shape)


def _check_tensors(expected: Sequence[TensorSpec], found: Sequence[Any], *, exact: bool) -> None:
    if len(found) < len(expected) or (exact and len(found) != len(expected)):
        raise GraphMismatchError(f"{len(found)} tensors instead of {len(expected)}")
    for spec, actual in zip(expected, found, strict=False):
        if actual.type != spec.dtype or not _shapes_match(spec.shape, actual.shape):
            raise GraphMismatchError(
                f"{actual.name} is {actual.type}{actual.shape} instead of {spec.dtype}{spec.shape}"
            )


def _shapes_match(expected: Sequence[int | None], found: Sequence[int | str | None]) -> bool:
    """Whether two shapes match; names and None in a graph's shape stand for any size."""
    if not found:  # some exporters write outputs without a shape
        return True
    return len(expected) == len(found) and all(
        one is None or not isinstance(other, int) or one == other for one, other in zip(expected, found, strict=True)
    )


_process_sessions = Sessions()


def run(name: str, folder: Path, *inputs: NDArray[Any], keep_memory: bool = False) -> list[NDArray[Any]] | None:
    """Run a model in this process's sessions; see `Sessions.run`."""
    return _process_sessions.run(name, folder, *inputs, keep_memory=keep_memory)


def unload() -> None:
    """Unload this process's models; see `Sessions.unload`."""
    _process_sessions.unload()
