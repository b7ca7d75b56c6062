"""What an edit needs from the outside; `chat/` provides it, and so can a test, a command line or another messenger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bot.edits.model import Edit, Offer, PhotoRef, Stage
from bot.errors import BotError
from bot.imaging.photo import PictureFormat


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A finished picture, in a file.

    Attributes:
        path: Where it is; the name's ending says nothing.
        format: JPEG, PNG or WEBP.
        width: Pixels across.
        height: Pixels down.
        engine: Name of the engine that made it.
        notes: Message ids of what the person should know about it: ``note-cloud-down``, ``note-doubtful``, ….
        matte: PNG of the matte or mask that was used; None where the caller had given it.
    """

    path: Path
    format: PictureFormat
    width: int
    height: int
    engine: str
    notes: tuple[str, ...] = ()
    matte: bytes | None = None


@dataclass(frozen=True, slots=True)
class LostMessageSearch:
    """Where a status message that may have been posted is to be looked for.

    Attributes:
        after: Its id is above this one.
        known: Ids that are other messages'.
    """

    after: int
    known: frozenset[int] = frozenset()


class Courier(Protocol):
    """Carries an edit's photo in, and its words and its result out.

    Every method but `post_status` and `post_offer` may be repeated without the person seeing anything twice.
    Failures that may pass are retried inside; what comes out is a `BotError`.
    """

    def highest(self, about: Edit | Offer) -> int:
        """The highest message id met so far in the chat, or in all that share its numbers."""
        ...

    async def post_status(self, edit: Edit, *, position: int, lost: LostMessageSearch | None) -> int:
        """Post the status message (a reply to the person's); returns its message id.

        Args:
            edit: Whose.
            position: How many edits are before it.
            lost: A process died over posting it: it may be there already, and is to be looked for first.
        """
        ...

    async def post_offer(self, offer: Offer, *, lost: LostMessageSearch | None) -> int:
        """Post the question which operation it shall be; returns its message id. `lost`: as in `post_status`."""
        ...

    async def show_progress(self, edit: Edit, *, stage: Stage | None, position: int) -> None:
        """Say in the status message what is being done (stage), or how many are before (position, stage None)."""
        ...

    async def show_failure(
        self, edit: Edit, error: BotError, picture: bytes | None = None, *, can_go_back: bool = False
    ) -> None:
        """Say in the status message what went wrong and what can be done; with a JPEG of what it is about, if any."""
        ...

    async def ask_which(self, edit: Edit, numbers: Sequence[int], picture: bytes, *, can_go_back: bool) -> None:
        """Turn the status message into the question which of the numbered things is meant.

        Args:
            edit: Whose.
            numbers: What can be chosen.
            picture: JPEG of the photo with the things outlined and numbered.
            can_go_back: Whether there is a result to go back to.
        """
        ...

    async def show_marked(self, edit: Edit, marked: Mapping[int, bool], *, can_go_back: bool) -> None:
        """Show the buttons that choose several things: each number, and whether it is chosen."""
        ...

    async def show_cancelled(self, edit: Edit, *, can_go_back: bool = False) -> None:
        """Say in the status message that nothing was done, as asked."""
        ...

    def busy(self, edit: Edit) -> AbstractAsyncContextManager[None]:
        """While it is open, the chat shows that a picture is being made."""
        ...

    async def fetch(self, photo: PhotoRef, *, max_bytes: int) -> bytes:
        """The photo's bytes.

        Raises:
            PersonError: ``photo-too-large``, ``photo-gone``.
            WorldError: It could not be had now.
        """
        ...

    async def deliver(self, edit: Edit, made: ResultFile) -> PhotoRef:
        """Turn the status message into the picture; returns where the picture is now."""
        ...
