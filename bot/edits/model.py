"""What an edit is: one request to change one photo, and what belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

DOUBTFUL = "doubtful"
"""Message id of the question whether the right object was found; stored as the edit's error."""

NOTES_ABOUT_FIND = frozenset({"note-doubtful", "note-first-frame", "note-main-picture"})
"""Message ids of notes about the photo and what was found in it: they hold for every variant of a result, too."""

MAX_TRIES = 4
"""Results of one request that a person may keep and flip through."""

MAX_MASK_BYTES = 5_000_000
"""Largest PNG of a painted mask that is read."""


class Operation(StrEnum):
    """What is done with the photo."""

    REMOVE_SUBJECT = "remove_subject"
    REMOVE_BACKGROUND = "remove_background"
    ERASE = "erase"


class State(StrEnum):
    """The state of an edit. The last three are final."""

    WAITING_FOR_MASK = "waiting_for_mask"
    """An /erase, or the correction of a cut-out, that is queued once the person sends a mask."""
    WAITING_FOR_CHOICE = "waiting_for_choice"
    """The objects found in the photo are shown by number, and the person has not chosen yet."""
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether the edit has ended."""
        return self in (State.DONE, State.FAILED, State.CANCELLED)


PENDING_STATES = (State.QUEUED, State.RUNNING)
"""States of edits that are in the queue or being worked on."""


class Stage(StrEnum):
    """What a running edit is doing; shown in the status message and in the Mini App."""

    FETCHING = "fetching"
    SEGMENTING = "segmenting"
    INPAINTING = "inpainting"
    DELIVERING = "delivering"


@dataclass(frozen=True, slots=True)
class PhotoRef:
    """A reference to a photo that Telegram stores.

    Attributes:
        file_id: The courier fetches the photo by it.
        unique_id: The same for the same picture from any sender; names the cached file.
        as_file: Whether it was sent as a file (document). The result is then sent as a file too, in full resolution
            and in the same format.
        name: The file's own name. Used for the result's name only, never as a path.
        size: Bytes, if known.
        spoiler: Whether it was sent under a spoiler; results and questions are then, too.
    """

    file_id: str
    unique_id: str
    as_file: bool = False
    name: str | None = None
    size: int | None = None
    spoiler: bool = False


@dataclass(frozen=True, slots=True)
class Edit:
    """One request to change one photo, as the store has it.

    Attributes:
        id: 128 random bits in URL-safe letters; opaque; used in links and callback data.
        person: Id of the owner: a Telegram user id, or the negative id of the chat in whose name it was asked for.
        chat: Id of the chat that gets the result.
        message: Id of the person's message; the result replies to it.
        operation: What is done.
        photo: The photo.
        finish: What replaces the background: one of `FINISHES` or `BLURS`, ``#rrggbb``, or `OWN_PICTURE`.
        seed: Variants of an edit differ in it.
        language: Language code of the person, for the texts.
        state: The state.
        stage: What the edit is doing while it runs.
        status_message: Id of the bot's message that becomes the result; None until it is posted.
        has_mask: Whether a mask (painted or found) is stored for it.
        result: The delivered picture, once done.
        engine: Name of the engine that made the result.
        error: Message id of the error, once failed.
        parent: Id of the edit that this one follows: its result (next erase round) or its mask (correction) is used.
        width: Width of the upright photo in pixels, once it was opened.
        height: Height of the upright photo in pixels, once it was opened.
        created: When it was recorded, UTC.
        requested: When the person last asked for it, UTC: by the command, the painted mask, a choice or "Try again".
        painted: A copy of the photo that the person painted on in Telegram's own editor. The paint says what is erased;
            for a cut-out it says what stays.
        shadow: Whether the subject's shadow is erased too.
        chooses: Whether the person chooses among the objects found in the photo, instead of the automatic subject.
        number: Its position in the order of all edits.
        attempt: How often the person has tried it, from 1.
        thread: Id of the topic that it is in; None outside topics.
        guessed: Whether the bot did not ask for the painted copy: if it is another picture, it is a photo without a
            command.
        album_status: Id of the message that counts the answers of the edit's album. Such an edit gets its own status
            message when it starts. None: the bot has not asked about an album.
        album: Media group id of the person's message, if it is part of an album. An edit that first waits for a mask
            and one that follows another edit have None: each has its own message at once.
        notes: Message ids of the notes under its result: ``note-shadow``, ….
        background: The picture that is put behind the subject, if the finish is `OWN_PICTURE`.
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
    requested: datetime
    painted: PhotoRef | None = None
    shadow: bool = True
    chooses: bool = False
    number: int = 0
    attempt: int = 1
    thread: int | None = None
    guessed: bool = False
    album_status: int | None = None
    album: str | None = None
    notes: tuple[str, ...] = ()
    background: PhotoRef | None = None

    @property
    def is_private(self) -> bool:
        """Whether it is in a person's private chat with the bot; other chats have negative ids."""
        return self.chat > 0

    @property
    def is_doubtful(self) -> bool:
        """Whether the bot has asked if it found the right object, and has no answer yet."""
        return self.error == DOUBTFUL

    @property
    def mask_is_kept(self) -> bool:
        """Whether the edit's mask marks what stays (a cut-out), rather than what is erased."""
        return self.operation is Operation.REMOVE_BACKGROUND


@dataclass(frozen=True, slots=True)
class Tries:
    """The place of a result among the results of the same request that are kept.

    Attributes:
        number: Its number, from 1.
        count: How many there are.
    """

    number: int = 1
    count: int = 1


@dataclass(frozen=True, slots=True)
class AlbumPlace:
    """The place of an edit among the edits of its album that are recorded so far.

    Attributes:
        number: Its number, from 1.
        count: How many there are; more may come.
    """

    number: int
    count: int


@dataclass(frozen=True, slots=True)
class StoredMask:
    """The mask that is stored with an edit.

    Attributes:
        png: PNG of the mask or the matte.
        is_matte: Whether it is a soft matte of the subject, rather than a painted mask.
    """

    png: bytes
    is_matte: bool


@dataclass(frozen=True, slots=True)
class EditCommand:
    """What to do with a photo.

    Attributes:
        operation: The operation.
        finish: What replaces the background; None: what the person's settings say when the edit is made.
        background_of: Id of a finished cut-out: the photo is put behind its subject. Only in a command that waits.
    """

    operation: Operation
    finish: str | None = None
    background_of: str | None = None


@dataclass(frozen=True, slots=True)
class DeletionRequest:
    """A person wants everything deleted that is stored about them.

    Attributes:
        person: The person.
        chat: Where they asked.
        message: The bot's message that becomes the receipt.
        language: Language of the receipt.
    """

    person: int
    chat: int
    message: int
    language: str


def workflow_id(edit_id: str, attempt: int) -> str:
    """Id of the workflow that makes one attempt of an edit."""
    return f"{edit_id}:{attempt}"
