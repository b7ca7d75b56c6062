"""Which message ids have been met: what is left is where a message may be whose sending was not answered."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterator

REMEMBERED = 20_000

SUPERGROUPS = -1_000_000_000_000
"""Chat ids from there down are supergroups and channels, which number their messages by themselves; private chats and
plain groups share one sequence for each account."""


class MessageIds:
    """The ids of the shared sequence that are known to be somebody's."""

    def __init__(self) -> None:
        self._met: OrderedDict[int, None] = OrderedDict()
        self._highest = 0

    def meet(self, chat: int, message: int) -> None:
        """A message was seen: sent by us and answered, or received."""
        if chat <= SUPERGROUPS:
            return
        self._highest = max(self._highest, message)
        self._met[message] = None
        while len(self._met) > REMEMBERED:
            self._met.popitem(last=False)

    def highest(self, chat: int, at_least: int) -> int:
        """The highest id met in the chat's sequence, and at least one that is known."""
        return max(self._highest, at_least) if chat > SUPERGROUPS else at_least

    def unknown(self, above: int, upto: int, besides: Collection[int]) -> Iterator[int]:
        """The ids of a range that are nobody's as far as is known."""
        return (
            message for message in range(above + 1, upto + 1) if message not in self._met and message not in besides
        )
