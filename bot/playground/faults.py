"""Fault injection: errors that tests let the playground answer to the bot's calls."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "flood",
    "bad_gateway",
    "drop",
    "lose_answer",
    "hang",
    "hang_and_drop",
    "server_error",
    "not_modified",
    "not_found",
    "unauthorized",
    "file_unavailable",
]
"""In order: 429 with retry_after; 502 in HTML; the connection is closed before the call is executed; after it was
executed; executed at `Faults.release`, with no response before; the connection is closed at `Faults.release`, and the
call is never executed; 500; 400 "message is not modified"; 404; 401; 400 "wrong file_id or the file is temporarily
unavailable"."""


@dataclass(slots=True)
class Fault:
    """One planned fault.

    Attributes:
        kind: What happens.
        methods: The methods that it applies to; empty: all.
        times: How many calls it still applies to.
        retry_after: Seconds, for ``flood``.
    """

    kind: Kind
    methods: frozenset[str] = frozenset()
    times: int = 1
    retry_after: int = 1


@dataclass(slots=True)
class Faults:
    """The planned faults.

    Attributes:
        planned: Faults of the next calls, in order.
        rate: Share of the other calls, 0 … 1, that fail at random.
        kinds: The kinds of random faults.
        rng: Chooses the calls and kinds.
        injected: Number of faults so far, by kind.
    """

    planned: list[Fault] = field(default_factory=list)
    rate: float = 0.0
    kinds: tuple[Kind, ...] = ("flood", "bad_gateway", "drop", "lose_answer")
    rng: random.Random = field(default_factory=lambda: random.Random(1))
    injected: dict[str, int] = field(default_factory=dict)
    _released: asyncio.Event = field(default_factory=asyncio.Event)

    def plan(self, kind: Kind, *methods: str, times: int = 1, retry_after: int = 1) -> None:
        """Let the next calls of these methods fail; no methods: of any."""
        self.planned.append(Fault(kind, frozenset(methods), times, retry_after))

    def next_for(self, method: str) -> Fault | None:
        """The fault of this call, or None."""
        for fault in self.planned:
            if fault.times > 0 and (not fault.methods or method in fault.methods):
                fault.times -= 1
                return self._count(fault)
        if self.rate and method != "getUpdates" and self.rng.random() < self.rate:
            return self._count(Fault(self.rng.choice(self.kinds)))
        return None

    def release(self) -> None:
        """Let the calls that hang now continue."""
        self._released.set()
        self._released = asyncio.Event()

    async def hang(self) -> None:
        """Wait for `release`."""
        await self._released.wait()

    def _count(self, fault: Fault) -> Fault:
        self.injected[fault.kind] = self.injected.get(fault.kind, 0) + 1
        return fault
