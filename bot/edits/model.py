"""What an edit is: one request to change one photo."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

DOUBTFUL = "doubtful"
"""Message id of the question whether the right thing was found; stored as the edit's error."""


class Operation(StrEnum):
    """What is done with the photo."""

    REMOVE_SUBJECT = "remove_subject"
    REMOVE_BACKGROUND = "remove_background"
    ERASE = "erase"


class State(StrEnum):
    """Where an edit stands. The last three are final."""

    WAITING_FOR_MASK = "waiting_for_mask"
    """An /erase, or a cut-out's correction, whose canvas is open or not yet opened: not queued before its mask is
    there."""
    WAITING_FOR_CHOICE = "waiting_for_choice"
    """The things found in the photo are shown by number, and the person has not chosen one yet."""
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to the edit."""
        return self in (State.DONE, State.FAILED, State.CANCELLED)


class Stage(StrEnum):
    """What a running edit is doing; shown in the status message and on the Mini App's page."""

    FETCHING = "fetching"
    SEGMENTING = "segmenting"
    INPAINTING = "inpainting"
    DELIVERING = "delivering"


@dataclass(frozen=True, slots=True)
class PhotoRef:
    """Where the photo is: with Telegram, under a file id. Nothing here is a picture.

    Attributes:
        file_id: What a courier fetches the photo by.
        unique_id: The same for the same picture, whoever sent it; names the cached file.
        as_file: Sent as a file (document): answered as a file, at full resolution, in its own format.
        name: The file's own name, for the answer's name only; never used as a path.
        size: Bytes, if known.
    """

    file_id: str
    unique_id: str
    as_file: bool = False
    name: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """One request to change one photo, as the store knows it.

    Attributes:
        id: 128 random bits in URL-safe letters; opaque, stands in links and callback data.
        person: Telegram user id of the owner.
        chat: Chat id that gets the answer.
        message: Id of the message that asked (the answer replies to it).
        operation: What is done.
        photo: The photo it is done to.
        finish: What stands where the background was: ``clean``, ``transparent``, ``white``, ``blur``, ``#rrggbb``.
        seed: Variants differ in it.
        language: Language code of the person, for the texts.
        state: Where the edit stands.
        stage: What it is doing while it runs.
        status_message: Id of the bot's message that becomes the answer; None until it is posted.
        has_mask: Whether a mask (painted or found) is stored for it.
        result: The delivered picture, once done.
        engine: Name of the engine that made the result.
        error: Message id of what went wrong, once failed.
        parent: The edit whose result (erase round) or mask (fix by hand) this one goes on from.
        width: Pixels across the upright photo, once it was opened.
        height: Pixels down.
        created: When it was asked for, UTC.
        painted: A copy of the photo on which the person painted in Telegram's own editor what is erased, or, of
            a cut-out, what stays too.
        shadow: Whether the subject's shadow goes along with it.
        chooses: Whether the person chooses among the things found in the photo, in place of the automatic subject.
        number: Its place in the order of all edits.
        attempt: How often the person has asked for it.
    """

    id: str
    person: int
    chat: int
    message: int
    operation: Operation
    photo: PhotoRef
    finish: str
    seed: int
    language: str
    state: State
    stage: Stage | None
    status_message: int | None
    has_mask: bool
    result: PhotoRef | None
    engine: str | None
    error: str | None
    parent: str | None
    width: int | None
    height: int | None
    created: datetime
    painted: PhotoRef | None = None
    shadow: bool = True
    chooses: bool = False
    number: int = 0
    attempt: int = 1

    @property
    def is_doubtful(self) -> bool:
        """Whether the person was asked if the right thing was found, and has not answered yet."""
        return self.error == DOUBTFUL


@dataclass(frozen=True, slots=True)
class Offer:
    """A photo sent without a word: the person is asked which of the three operations it shall be.

    Attributes:
        id: 128 random bits; stands in the buttons.
        person: Telegram user id of who sent it.
        chat: Chat id.
        message: Id of the photo's message.
        photo: The photo.
        language: Language code of the person.
        status_message: The bot's message with the buttons, once posted.
    """

    id: str
    person: int
    chat: int
    message: int
    photo: PhotoRef
    language: str
    status_message: int | None


@dataclass(frozen=True, slots=True)
class EditRequest:
    """What a person asks for: everything that an edit needs to be recorded.

    Attributes:
        key: Makes a repeated request the same one; made from chat, message and operation.
        person: Telegram user id.
        chat: Chat id that gets the answer.
        message: The message that the answer replies to.
        operation: What is to be done.
        photo: The photo.
        language: Language code of the person.
        finish: What stands where the background was.
        seed: Variants differ in it.
        parent: The edit that this one goes on from.
        status_message: A message of the bot that shall become the answer; None: a new one is posted.
        mask: PNG of what to erase (of a cut-out: of the subject), or of the matte to use again; None: it is found, or
            painted later.
        mask_is_matte: Whether `mask` is a soft matte of the subject.
        painted: A copy of the photo on which the person painted what shall be erased; stands in for a mask.
        shadow: Whether the subject's shadow goes along with it.
        draft: `mask` is only where the person begins: the edit waits for the person's own.
        chooses: Whether the person chooses among the things found in the photo, in place of the automatic subject.
    """

    key: str
    person: int
    chat: int
    message: int
    operation: Operation
    photo: PhotoRef
    language: str
    finish: str = "clean"
    seed: int = 0
    parent: str | None = None
    status_message: int | None = None
    mask: bytes | None = None
    mask_is_matte: bool = False
    painted: PhotoRef | None = None
    shadow: bool = True
    draft: bool = False
    chooses: bool = False


def follow_up_request(edit: Edit, key: str, **changes: Any) -> EditRequest:
    """An order that goes on from an edit: its photo, person, place and wishes, all but what changes.

    Args:
        edit: The edit.
        key: Makes a repeated request the same one.
        changes: Fields of `EditRequest`.
    """
    return EditRequest(
        **{
            "key": key,
            "person": edit.person,
            "chat": edit.chat,
            "message": edit.message,
            "operation": edit.operation,
            "photo": edit.photo,
            "language": edit.language,
            "finish": edit.finish,
            "seed": edit.seed,
            "shadow": edit.shadow,
            **changes,
        }
    )
