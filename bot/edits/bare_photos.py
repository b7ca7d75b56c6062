"""Photos that come without a command, and albums of them."""

from __future__ import annotations

from dataclasses import dataclass

from bot.edits.model import Edit, Operation, PhotoRef


@dataclass(frozen=True, slots=True)
class Offer:
    """A photo that came without a command: the bot asks which of the three operations to do.

    Attributes:
        id: 128 random bits; used in the buttons.
        person: Id of the owner, as in `Edit`.
        chat: Chat id.
        message: Id of the photo's message.
        photo: The photo.
        language: Language code of the person.
        status_message: Id of the bot's message with the buttons, once posted.
        thread: Id of the topic that it is in; None outside topics.
        album: Its media group id, if it is part of an album. One question is asked about an album's photos.
        silent: Whether nothing is asked about it: another photo of its album has the question, or none is due yet.
    """

    id: str
    person: int
    chat: int
    message: int
    photo: PhotoRef
    language: str
    status_message: int | None
    thread: int | None = None
    album: str | None = None
    silent: bool = False


@dataclass(frozen=True, slots=True)
class AlbumCount:
    """How far the edits of an album are.

    Attributes:
        photos: How many there are.
        ended: How many have ended: done, failed or cancelled.
        done: How many have their answer.
        language: Language of the message that counts.
        edit: Id of one of them, for the button that stops them.
        operation: What is done with them.
        refused: Ids of the offers of photos that a limit refused.
        last: The last one that has not ended.
        seconds: Estimated seconds until its answer; None: not known.
    """

    photos: int
    ended: int
    done: int
    language: str
    edit: str
    operation: Operation
    refused: tuple[str, ...] = ()
    last: Edit | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class BarePhoto:
    """A photo without a command.

    Attributes:
        person: Id of the owner.
        chat: Id of the chat.
        message: Id of its message.
        photo: The photo.
        language: Language code of the person.
        album: Its media group id, if it is part of an album.
        thread: Id of the topic; None outside topics.
    """

    person: int
    chat: int
    message: int
    photo: PhotoRef
    language: str
    album: str | None = None
    thread: int | None = None
