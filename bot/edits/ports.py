"""The port that an edit needs from the outside: a courier. `chat/` implements it for Telegram."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bot.edits.bare_photos import AlbumCount, Offer
from bot.edits.model import AlbumPlace, DeletionRequest, Edit, PhotoRef, Stage, Tries
from bot.edits.person_settings import Delivery
from bot.errors import BotError, OutageError
from bot.imaging.photo import PictureFormat


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A finished picture, in a file.

    Attributes:
        path: The file; its suffix does not tell the format.
        format: JPEG, PNG or WEBP.
        width: In pixels.
        height: In pixels.
        engine: Name of the engine that made it.
        notes: Message ids of notes for the person: ``note-cloud-down``, ``note-doubtful``, ….
        matte: PNG of the matte or mask that was found and used; None if the caller gave one.
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
    """Where to look for a status message that a crashed process may have posted.

    Attributes:
        after: Its id is higher than this one.
        known: Ids of other messages.
    """

    after: int
    known: frozenset[int] = frozenset()


class StatusMessageGoneError(BotError):
    """The status message does not exist any more: the person deleted it."""


class ChatGoneError(BotError):
    """The bot can no longer write to the chat: the person blocked it, or it was removed from the group."""


class PicturesRefusedError(BotError):
    """The bot may write to the chat but not send pictures there, until an admin allows it."""

    retry_may_help = False


class ChatMovedError(OutageError):
    """The group became a supergroup. Its edits have the new id already: the step succeeds when it is repeated."""


class Courier(Protocol):
    """Fetches photos, shows the progress of edits, and delivers their results.

    Every method but `post_status` and `post_offer` is idempotent: the person sees nothing twice. Temporary failures are
    retried inside; the methods raise `BotError`.
    """

    def highest(self, about: Edit | Offer) -> int:
        """The highest message id seen so far in the chat, or in all chats that share its numbering."""
        ...

    async def post_status(
        self,
        edit: Edit,
        *,
        position: int,
        seconds: float | None = None,
        album: AlbumPlace | None = None,
        lost: LostMessageSearch | None,
    ) -> int:
        """Post the status message as a reply to the person's message; returns its message id.

        Args:
            edit: The edit.
            position: How many edits are ahead of it.
            seconds: Estimated seconds until its answer; None: not known.
            album: Its place in its album, if that has several photos.
            lost: If given, a crashed process may have posted it already: look for it first.
        """
        ...

    async def mark_seen(self, edit: Edit, album: str | None) -> None:
        """Show on the person's message that it was seen, where that is possible; raises nothing.

        Args:
            edit: The edit.
            album: Media group id of the message, if it is part of an album.
        """
        ...

    async def post_offer(self, offer: Offer, *, photos: int, lost: LostMessageSearch | None) -> int:
        """Post the question which operation to do; returns its message id.

        Args:
            offer: The offer.
            photos: How many photos it is about: more than one for an album.
            lost: As in `post_status`.
        """
        ...

    async def show_question(self, offer: Offer, *, photos: int = 1) -> None:
        """Turn the status message of an offer into the question which operation to do; `photos` as in `post_offer`."""
        ...

    async def show_album_count(self, chat: int, message: int, count: AlbumCount) -> None:
        """Show in a message how many of an album's photos are ready."""
        ...

    async def remove_question(self, offer: Offer, message: int) -> None:
        """Delete a message with a question that needs no answer any more."""
        ...

    async def show_progress(
        self,
        edit: Edit,
        *,
        stage: Stage | None,
        position: int,
        seconds: float | None = None,
        album: AlbumPlace | None = None,
    ) -> None:
        """Show the stage in the status message; if it is None, how many edits are ahead (position).

        `seconds` are estimated until the answer; None: that is not known. `album` as in `post_status`.
        """
        ...

    async def show_failure(
        self, edit: Edit, error: BotError, picture: bytes | None = None, *, can_go_back: bool = False
    ) -> None:
        """Show in the status message what failed and what can be done, with a JPEG of what it is about, if any."""
        ...

    async def show_colours(self, edit: Edit) -> None:
        """Replace the buttons under a cut-out by the colours to choose from."""
        ...

    async def show_finishes(self, edit: Edit) -> None:
        """Show the usual buttons under a cut-out again, instead of the colours."""
        ...

    async def ask_which(self, edit: Edit, numbers: Sequence[int], picture: bytes, *, can_go_back: bool) -> None:
        """Turn the status message into the question which of the numbered objects to use.

        Args:
            edit: The edit.
            numbers: The numbers of the objects.
            picture: JPEG of the photo with the objects outlined and numbered.
            can_go_back: Whether to offer a way back to an earlier result.
        """
        ...

    async def show_marked(self, edit: Edit, marked: Mapping[int, bool], *, can_go_back: bool) -> None:
        """Show the buttons that choose several objects: each number, and whether it is chosen."""
        ...

    async def show_cancelled(self, edit: Edit, *, can_go_back: bool = False, followers: int = 0) -> None:
        """Show in the status message that the edit was stopped; `followers` later photos of its album with it."""
        ...

    async def show_receipt(self, request: DeletionRequest, *, edits: int, files: int) -> None:
        """Show in the request's message how much was deleted. A message that is gone is ignored."""
        ...

    def busy(self, edit: Edit) -> AbstractAsyncContextManager[None]:
        """A context in which the chat shows that the bot is working on a picture."""
        ...

    async def fetch(self, photo: PhotoRef, *, max_bytes: int) -> bytes:
        """The photo's bytes.

        Raises:
            PersonError: ``photo-too-large``, ``photo-gone``.
            WorldError: It cannot be fetched now.
        """
        ...

    async def deliver(self, edit: Edit, result: ResultFile, tries: Tries, delivery: Delivery) -> PhotoRef:
        """Turn the status message into the picture; returns a reference to it. The edit has the result's notes.

        Args:
            edit: The edit.
            result: The picture.
            tries: Its place among the results of the same request.
            delivery: Whether the person wants photos or files.
        """
        ...

    async def show_result(self, edit: Edit, tries: Tries) -> None:
        """Show a delivered result in its message again, as `deliver` did, by the reference to its picture.

        Raises:
            WorldError: Among others (see the class): the picture is no longer stored.
        """
        ...

    async def show_original(self, edit: Edit, photo: PhotoRef) -> None:
        """Show the photo that the person sent in the message of a result, and the way back to the result."""
        ...
