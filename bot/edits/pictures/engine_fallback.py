"""Asks engines in order: if one is unavailable, the next one answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from bot.engines import Engine, EngineUnavailableError

T = TypeVar("T")
log = structlog.get_logger()


class EngineFallback:
    """The engines of one edit, in order. An engine that was unavailable is not asked again within the edit.

    Args:
        engines: At least one engine.
    """

    def __init__(self, engines: Sequence[Engine]) -> None:
        self._all = engines
        self._left = engines

    @property
    def current(self) -> Engine:
        """The engine that is asked next."""
        return self._left[0]

    @property
    def has_fallen_back(self) -> bool:
        """Whether an engine was unavailable."""
        return self._left[0].name != self._all[0].name

    async def ask(self, question: Callable[[Engine], Awaitable[T]]) -> tuple[T, Engine]:
        """Ask the engines until one answers.

        Returns:
            The answer, and the engine that gave it.

        Raises:
            EngineUnavailableError: The last engine is unavailable too.
        """
        while True:
            engine = self.current
            try:
                return await question(engine), engine
            except EngineUnavailableError as error:
                if len(self._left) == 1:
                    raise
                self._left = self._left[1:]
                log.warning("engine_unavailable", engine=engine.name, reason=str(error), next=self.current.name)
