"""Requests for edits: everything that is needed to record one, with a constructor for each way to ask.

Each request has a key. A second request with the same key is the same edit: a repeated update or a second press of a
button changes nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any, Self

from bot.edits.bare_photos import BarePhoto, Offer
from bot.edits.finishes import OWN_PICTURE
from bot.edits.model import NOTES_ABOUT_FIND, Edit, EditCommand, Operation, PhotoRef, StoredMask


@dataclass(frozen=True, slots=True)
class EditRequest:
    """A request for an edit.

    Attributes:
        key: The same for a repeated request.
        person: Id of the owner.
        chat: Id of the chat that gets the result.
        message: Id of the message that the result replies to.
        operation: What to do.
        photo: The photo.
        language: Language code of the person.
        finish: What replaces the background; None: what the person's settings say when the edit is recorded.
        seed: Variants differ in it.
        parent: Id of the edit that this one follows.
        status_message: Id of a message of the bot that becomes the result; None: a new one is posted.
        mask: PNG of what is erased (for a cut-out: of the subject), or of a matte of the subject; None: it is found, or
            painted later.
        mask_is_matte: Whether `mask` is a soft matte of the subject.
        painted: A copy of the photo on which the person painted what to erase; replaces a mask.
        shadow: Whether the subject's shadow is erased too.
        draft: Whether `mask` is only a start: the edit waits for the mask that the person makes of it.
        chooses: Whether the person chooses among the objects found in the photo, instead of the automatic subject.
        thread: Id of the topic that the chat's message is in; None outside topics.
        guessed: Whether the bot did not ask for the painted copy: if it is another picture, it is a photo without a
            command.
        album_status: Id of the message that counts the answers of the edit's album, if the bot asked about an album.
        notes: Message ids of notes that the result has in any case.
        background: The picture to put behind the subject; its finish is `OWN_PICTURE`.
        album: Media group id of the message, if it is part of an album; recorded as `Edit.album` says.
    """

    key: str
    person: int
    chat: int
    message: int
    operation: Operation
    photo: PhotoRef
    language: str
    finish: str | None = None
    seed: int = 0
    parent: str | None = None
    status_message: int | None = None
    mask: bytes | None = None
    mask_is_matte: bool = False
    painted: PhotoRef | None = None
    shadow: bool = True
    draft: bool = False
    chooses: bool = False
    thread: int | None = None
    guessed: bool = False
    album_status: int | None = None
    notes: tuple[str, ...] = ()
    background: PhotoRef | None = None
    album: str | None = None

    @property
    def waits_for_mask(self) -> bool:
        """Whether the edit waits for the person's mask before it is queued."""
        return self.draft or (self.operation is Operation.ERASE and self.mask is None and self.painted is None)

    @classmethod
    def from_message(
        cls,
        *,
        person: int,
        chat: int,
        message: int,
        operation: Operation,
        photo: PhotoRef,
        language: str,
        finish: str | None = None,
        painted: PhotoRef | None = None,
        thread: int | None = None,
        album: str | None = None,
    ) -> Self:
        """A command in a chat; the parameters are the attributes of the same names."""
        key = f"{chat}:{message}:{operation}"
        request = cls(key, person, chat, message, operation, photo, language, painted=painted, thread=thread)
        return replace(request, finish=finish, album=album)

    @classmethod
    def guess(cls, bare: BarePhoto, original: PhotoRef) -> Self:
        """Erase what is painted on a photo that may be a painted copy of the one it replies to."""
        key, place = f"{bare.chat}:{bare.message}:guess", (bare.person, bare.chat, bare.message)
        photo = replace(original, spoiler=original.spoiler or bare.photo.spoiler)
        request = cls(key, *place, Operation.ERASE, photo, bare.language, painted=bare.photo, thread=bare.thread)
        return replace(request, guessed=True)

    @classmethod
    def from_offer(
        cls, offer: Offer, command: EditCommand, *, status_message: int | None, album_status: int | None = None
    ) -> Self:
        """What the person chose for an offered photo.

        Args:
            offer: The offer.
            command: What the person chose.
            status_message: The message with the buttons, which becomes the answer; None: a new one is posted.
            album_status: The message that counts the answers of an album.
        """
        key = f"{offer.chat}:{offer.message}:{command.operation}"
        place = (offer.person, offer.chat, offer.message, command.operation, offer.photo, offer.language)
        request = cls(key, *place, finish=command.finish, status_message=status_message)
        return replace(request, thread=offer.thread, album_status=album_status, album=offer.album)

    @classmethod
    def variant_of(cls, edit: Edit, *, root: str, stored: StoredMask | None) -> Self:
        """The same edit with another seed, finish or shadow, with the same mask and in the same message.

        Args:
            edit: The edit, with the changed fields.
            root: Id of the edit that all variants share as their parent.
            stored: The mask of the edit.
        """
        shadow = "" if edit.shadow else ":shadow"
        made_with = f":{_digest(stored.png)}" if stored else ""
        behind = _digest(edit.background.unique_id.encode()) if edit.background else ""
        key = f"{root}:{edit.operation}:{edit.finish}:{edit.seed}{shadow}{made_with}{behind}"
        notes = tuple(note for note in edit.notes if note in NOTES_ABOUT_FIND)
        return cls._following(edit, key, stored, parent=root, status_message=edit.status_message, notes=notes)

    @classmethod
    def correction_of(cls, edit: Edit, *, number: int, stored: StoredMask | None) -> Self:
        """A correction by hand on the edit's own photo; it waits for the person's mask.

        A cut-out is corrected as a cut-out, with the same finish. Every other edit is corrected by erasing.

        Args:
            edit: The edit.
            number: Counts the corrections that start from the same mask, from 1.
            stored: What the edit found; shown to the person as painted.
        """
        digest = _digest(stored.png if stored else b"")
        key = f"{edit.id}:fix:{digest}:{number}"
        changes = {} if edit.mask_is_kept else {"operation": Operation.ERASE, "seed": 0}
        return cls._following(edit, key, stored, parent=edit.id, shadow=True, draft=True, **changes)

    @classmethod
    def erase_round(cls, edit: Edit, *, submission: str, photo: PhotoRef, mask: bytes) -> Self:
        """A further round of erasing, or of correcting a cut-out, in the same message.

        Args:
            edit: The edit of the last round.
            submission: Identifies the submitted mask; at least 32 characters.
            photo: The picture that the round works on.
            mask: PNG that the person painted.
        """
        key = f"{edit.id}:round:{submission[:32]}"
        changes: dict[str, Any] = {} if edit.mask_is_kept else {"operation": Operation.ERASE, "seed": 0}
        changes |= {"photo": photo, "shadow": True, "status_message": edit.status_message}
        return cls._following(edit, key, StoredMask(mask, is_matte=False), parent=edit.id, **changes)

    @classmethod
    def something_else(cls, shown: Edit) -> Self:
        """A choice among the objects found in the photo, in place of the result or the question that is shown."""
        key, message = f"{shown.id}:else", shown.status_message
        return cls._following(shown, key, None, parent=shown.id, status_message=message, seed=0, chooses=True)

    @classmethod
    def in_private_chat(
        cls, edit: Edit, *, person: int, message: int, language: str, stored: StoredMask | None
    ) -> Self:
        """The same edit in a person's private chat; it waits for the person's mask.

        Args:
            edit: The edit in the group.
            person: The person, who owns the new edit: the owner of the group's edit, or an admin who acts for it.
            message: Id of the message in the private chat that the result replies to.
            language: Language code of the person.
            stored: The mask that the person starts from.
        """
        key = f"{edit.id}:private" if edit.person == person else f"{edit.id}:private:{person}"
        place = {"person": person, "chat": person, "message": message, "language": language, "thread": None}
        return cls._following(edit, key, stored, parent=edit.parent, draft=True, **place)

    @classmethod
    def _following(cls, edit: Edit, key: str, stored: StoredMask | None, **changes: Any) -> Self:
        """A request with the photo, person, chat and options of an edit, except for the changes."""
        values: dict[str, Any] = {
            "person": edit.person,
            "chat": edit.chat,
            "message": edit.message,
            "operation": edit.operation,
            "photo": edit.photo,
            "language": edit.language,
            "finish": edit.finish,
            "seed": edit.seed,
            "shadow": edit.shadow,
            "thread": edit.thread,
            "background": edit.background if edit.finish == OWN_PICTURE else None,
            "mask": stored.png if stored else None,
            "mask_is_matte": stored.is_matte if stored else False,
        }
        return cls(key=key, **(values | changes))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
