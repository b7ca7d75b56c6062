"""How models run: sessions of ONNX Runtime that load on use and leave when idle."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import structlog
from numpy.typing import NDArray

from bot.models.files import is_sound
from bot.models.registry import MODELS, Model, Tensor

_log = structlog.get_logger(__name__)

THREADS = 2
"""Threads of one session. Pool workers already use the other cores."""
IDLE_SECONDS = 120.0
"""A session unused for so long is dropped: MI-GAN holds 0.7 GB while it is loaded."""


class MismatchError(Exception):
    """The file's graph does not take or give what the registry says."""


class Runner(Protocol):
    """A loaded graph."""

    def __call__(self, *inputs: NDArray[Any]) -> list[NDArray[Any]]:
        """Run it once on inputs in the graph's order."""
        ...


class Sessions:
    """The loaded sessions of one process: at most one at a time, so that memory stays bounded.

    Args:
        idle_seconds: After so long without use the session is dropped.
        threads: Threads that one run may use.
    """

    def __init__(self, idle_seconds: float = IDLE_SECONDS, threads: int = THREADS) -> None:
        self._idle_seconds = idle_seconds
        self._threads = threads
        self._lock = threading.RLock()
        self._loaded: tuple[Path, int, Runner] | None = None
        self._timer: threading.Timer | None = None
        self._told: set[tuple[Path, str]] = set()

    def run(self, name: str, folder: Path, *inputs: NDArray[Any]) -> list[NDArray[Any]] | None:
        """Run a model of the folder.

        Args:
            name: Its name in the registry.
            folder: Where the files are.
            inputs: What its contract says, in that order.

        Returns:
            Its outputs, or None where the file is missing, broken, of another shape, or fails: the caller falls one
            rung. Each such reason is logged once a process.
        """
        model = MODELS[name]
        with self._lock:
            try:
                runner = self._runner(model, folder / model.file)
                return None if runner is None else runner(*inputs)
            except Exception as error:  # noqa: BLE001 - ONNX Runtime raises classes of its own that share no base
                self.unload()
                self._tell(model, folder / model.file, f"{type(error).__name__}: {str(error)[:200]}")
                return None
            finally:
                self._rest()

    def unload(self) -> None:
        """Drop what is loaded."""
        with self._lock:
            self._loaded = None

    def close(self) -> None:
        """Drop what is loaded and stop the clock."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self.unload()

    @property
    def is_loaded(self) -> bool:
        """Whether a session is held just now."""
        return self._loaded is not None

    def _runner(self, model: Model, path: Path) -> Runner | None:
        if not path.is_file():
            return None
        changed = path.stat().st_mtime_ns
        if self._loaded is not None and self._loaded[:2] == (path, changed):
            return self._loaded[2]
        if not is_sound(model, path):
            self._tell(model, path, "size or checksum is not the published one")
            return None
        self._loaded = None
        runner = _load(model, path, self._threads)
        self._loaded = (path, changed, runner)
        _log.info("model-loaded", name=model.name)
        return runner

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._loaded is not None:
            self._timer = threading.Timer(self._idle_seconds, self.unload)
            self._timer.daemon = True
            self._timer.start()

    def _tell(self, model: Model, path: Path, why: str) -> None:
        if (path, why) not in self._told:
            self._told.add((path, why))
            _log.warning("model-unusable", name=model.name, path=str(path), why=why)


def _load(model: Model, path: Path, threads: int) -> Runner:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Without the arena MI-GAN peaks at 690 MB instead of 1230 MB, IS-Net at 900 instead of 1350.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    # Spinning threads would burn a core that another worker could use.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    _check(model.inputs, session.get_inputs(), exact=True)
    _check(model.outputs, session.get_outputs(), exact=False)
    names = [tensor.name for tensor in session.get_inputs()]
    first = [tensor.name for tensor in session.get_outputs()][: len(model.outputs)]

    def runner(*inputs: NDArray[Any]) -> list[NDArray[Any]]:
        return [np.asarray(answer) for answer in session.run(first, dict(zip(names, inputs, strict=True)))]

    return runner


def _check(wanted: Sequence[Tensor], found: Sequence[Any], *, exact: bool) -> None:
    if len(found) < len(wanted) or (exact and len(found) != len(wanted)):
        raise MismatchError(f"{len(found)} tensors where {len(wanted)} are agreed")
    for agreed, given in zip(wanted, found, strict=False):
        if given.type != agreed.kind or not _fits(agreed.dims, given.shape):
            raise MismatchError(f"{given.name} is {given.type}{given.shape}, agreed was {agreed.kind}{agreed.dims}")


def _fits(agreed: Sequence[int | None], given: Sequence[int | str | None]) -> bool:
    """Whether shapes agree; names and None in a graph's shape stand for any size."""
    if not given:  # some exporters write outputs without a shape
        return True
    return len(agreed) == len(given) and all(
        one is None or not isinstance(other, int) or one == other for one, other in zip(agreed, given, strict=True)
    )


_here = Sessions()


def run(name: str, folder: Path, *inputs: NDArray[Any]) -> list[NDArray[Any]] | None:
    """Run a model with this process's sessions; see `Sessions.run`."""
    return _here.run(name, folder, *inputs)
