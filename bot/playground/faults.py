"""Trouble on demand: what tests let the stand-in do to the bot's calls."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["flood", "bad_gateway", "drop", "lose_answer", "hang", "server_error", "not_modified"]
"""429 with retry_after; 502 in HTML; the connection dropped before anything is done; dropped after it was done;
no answer until `Faults.release`; 500; 400 because nothing would change."""


@dataclass(slots=True)
class Fault:
    """One kind of trouble.

    Attributes:
        kind: What happens.
        methods: Which methods it happens to; empty: all.
        times: How often it still happens.
        retry_after: Seconds, for ``flood``.
    """

    kind: Kind
    methods: frozenset[str] = frozenset()
    times: int = 1
    retry_after: int = 1


@dataclass(slots=True)
class Faults:
    """The trouble that is planned.

    Attributes:
        planned: What happens next, in order.
        rate: Share of calls (0 … 1) that something of `kinds` happens to besides.
        kinds: What may happen to those.
        dice: Decides which.
        happened: How often each kind has.
    """

    planned: list[Fault] = field(default_factory=list)
    rate: float = 0.0
    kinds: tuple[Kind, ...] = ("flood", "bad_gateway", "drop", "lose_answer")
    dice: random.Random = field(default_factory=lambda: random.Random(1))
    happened: dict[str, int] = field(default_factory=dict)
    _released: asyncio.Event = field(default_factory=asyncio.Event)

    def plan(self, kind: Kind, *methods: str, times: int = 1, retry_after: int = 1) -> None:
        """Let something happen to the next calls of these methods."""
        self.planned.append(Fault(kind, frozenset(methods), times, retry_after))

    def next_for(self, method: str) -> Fault | None:
        """What happens to this call, if anything."""
        for fault in self.planned:
            if fault.times > 0 and (not fault.methods or method in fault.methods):
                fault.times -= 1
                return self._noted(fault)
        if self.rate and method != "getUpdates" and self.dice.random() < self.rate:
            return self._noted(Fault(self.dice.choice(self.kinds)))
        return None

    def release(self) -> None:
        """Let the calls that hang go on."""
        self._released.set()

    async def hang(self) -> None:
        """Wait for `release`."""
        await self._released.wait()

    def _noted(self, fault: Fault) -> Fault:
        self.happened[fault.kind] = self.happened.get(fault.kind, 0) + 1
        return fault
