"""How models run: sessions of ONNX Runtime that load on use and leave when idle."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import structlog
from numpy.typing import NDArray

from bot.models.files import is_sound
from bot.models.registry import MODELS, Model, Tensor

log = structlog.get_logger()

THREADS = 2
"""Threads of one session. Pool workers already use the other cores."""
IDLE_SECONDS = 120.0
"""A session unused for so long is dropped: MI-GAN holds 0.7 GB while it is loaded."""
SMALL_BYTES = 10_000_000
"""A file up to this size stays loaded beside another one (u2netp holds 60 to 100 MB between two uses): finding a
subject and filling its hole in turn would else load both again for each photo."""


_REUSING_SIDE = 320
"""Segmenters with a square up to this size use ONNX Runtime's memory arena; the only size that it was measured for."""


class MismatchError(Exception):
    """The file's graph does not take or give what the registry says."""


class Runner(Protocol):
    """A loaded graph."""

    def __call__(self, *inputs: NDArray[Any], more: bool = False) -> list[NDArray[Any]]:
        """Run it once on inputs in the graph's order; `more`: keep the working memory for a run that follows."""
        ...


@dataclass(frozen=True, slots=True)
class _Loaded:
    path: Path
    changed: int
    runner: Runner
    small: bool


class Sessions:
    """The loaded sessions of one process: one small one and one large one at most, so that memory stays bounded.

    Args:
        idle_seconds: After so long without use the session is dropped.
        threads: Threads that one run may use.
    """

    def __init__(self, idle_seconds: float = IDLE_SECONDS, threads: int = THREADS) -> None:
        self._idle_seconds = idle_seconds
        self._threads = threads
        self._lock = threading.RLock()
        self._loaded: list[_Loaded] = []
        self._timer: threading.Timer | None = None
        self._told: set[tuple[Path, str]] = set()

    def run(self, name: str, folder: Path, *inputs: NDArray[Any], more: bool = False) -> list[NDArray[Any]] | None:
        """Run a model of the folder.

        Args:
            name: Its name in the registry.
            folder: Where the files are.
            inputs: What its contract says, in that order.
            more: Another run of it follows at once: its working memory is kept until then.

        Returns:
            Its outputs, or None where the file is missing, broken, of another shape, or fails: the caller falls one
            rung. Each such reason is logged once a process.
        """
        model = MODELS[name]
        with self._lock:
            try:
                runner = self._runner(model, folder / model.file)
                return None if runner is None else runner(*inputs, more=more)
            except Exception as error:  # noqa: BLE001 - ONNX Runtime raises classes of its own that share no base
                self.unload()
                self._tell(model, folder / model.file, f"{type(error).__name__}: {str(error)[:200]}")
                return None
            finally:
                self._rest()

    def unload(self) -> None:
        """Drop what is loaded."""
        with self._lock:
            self._loaded = []

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
        return bool(self._loaded)

    def _runner(self, model: Model, path: Path) -> Runner | None:
        if not path.is_file():
            return None
        changed = path.stat().st_mtime_ns
        for loaded in self._loaded:
            if (loaded.path, loaded.changed) == (path, changed):
                return loaded.runner
        if not is_sound(model, path):
            self._tell(model, path, "size or checksum is not the published one")
            return None
        small = path.stat().st_size <= SMALL_BYTES
        self._loaded = [loaded for loaded in self._loaded if loaded.small != small]
        runner = _load(model, path, self._threads)
        self._loaded.append(_Loaded(path, changed, runner, small))
        log.info("model_loaded", name=model.name)
        return runner

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._loaded:
            self._timer = threading.Timer(self._idle_seconds, self.unload)
            self._timer.daemon = True
            self._timer.start()

    def _tell(self, model: Model, path: Path, why: str) -> None:
        if (path, why) not in self._told:
            self._told.add((path, why))
            log.warning("model_unusable", name=model.name, path=str(path), why=why)


def _load(model: Model, path: Path, threads: int) -> Runner:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # With ONNX Runtime's defaults (arena and pattern) MI-GAN peaks at 1230 MB instead of 690 MB, IS-Net at 1350 instead
    # of 900, u2netp at 495 instead of 315. The arena alone takes no more than that for u2netp (297 MB), and a run that
    # follows another one is a fifth quicker: it need not ask the kernel for zeroed pages again.
    reuses = model.look is not None and model.look.side <= _REUSING_SIDE
    options.enable_cpu_mem_arena = reuses
    options.enable_mem_pattern = False
    # Spinning threads would burn a core that another worker could use.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    _check(model.inputs, session.get_inputs(), exact=True)
    _check(model.outputs, session.get_outputs(), exact=False)
    names = [tensor.name for tensor in session.get_inputs()]
    first = [tensor.name for tensor in session.get_outputs()][: len(model.outputs)]
    give_back = onnxruntime.RunOptions()
    if reuses:
        # Between two photos the memory goes back to the system: 300 MB would stand beside the matting's and the fill's.
        give_back.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def runner(*inputs: NDArray[Any], more: bool = False) -> list[NDArray[Any]]:
        given = dict(zip(names, inputs, strict=True))
        return [np.asarray(answer) for answer in session.run(first, given, None if more else give_back)]

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


def run(name: str, folder: Path, *inputs: NDArray[Any], more: bool = False) -> list[NDArray[Any]] | None:
    """Run a model with this process's sessions; see `Sessions.run`."""
    return _here.run(name, folder, *inputs, more=more)


def unload() -> None:
    """Drop this process's sessions; see `Sessions.unload`."""
    _here.unload()
