"""Records which message ids have been seen. A lost message can only have one of the others."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterator

MAX_IDS = 20_000

SUPERGROUPS = -1_000_000_000_000
"""Chat ids up to this one are supergroups and channels, which number their messages separately. Private chats and
basic groups share one sequence of message ids for each account."""


class MessageIds:
    """The ids of the shared sequence that are known to belong to a message."""

    def __init__(self) -> None:
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._highest = 0

    def add(self, chat: int, message: int) -> None:
        """Record a message that was received, or that the bot sent and got an answer for."""
        if chat <= SUPERGROUPS:
            return
        self._highest = max(self._highest, message)
        self._seen[message] = None
        while len(self._seen) > MAX_IDS:
            self._seen.popitem(last=False)

    def highest(self, chat: int, at_least: int) -> int:
        """The highest id seen in the chat's sequence, or `at_least`, an id that the caller knows, if that is higher."""
        return max(self._highest, at_least) if chat > SUPERGROUPS else at_least

    def unknown(self, above: int, upto: int, excluded: Collection[int]) -> Iterator[int]:
        """The ids in ``(above, upto]`` that are neither recorded nor excluded."""
        return (
            message for message in range(above + 1, upto + 1) if message not in self._seen and message not in excluded
        )
