"""Errors that say whose turn it is: the person's, the operator's, or the world's.

Each carries a message id (looked up in the chat's catalogues and in the command line's texts) and the facts for the
log. They travel between processes and through the database, so they pickle by their arguments.
"""

from __future__ import annotations


class BotError(Exception):
    """Base of all errors that the program raises on purpose.

    Args:
        message_id: Key of the text shown to people, such as ``photo-broken``; catalogues hold one text for each.
        facts: Values for the log and for the text's placeholders; never secrets, never picture bytes.
    """

    def __init__(self, message_id: str, **facts: object) -> None:
        self.message_id = message_id
        self.facts = facts
        super().__init__(message_id, facts)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.message_id, self.facts)

    def __str__(self) -> str:
        facts = " ".join(f"{name}={value!r}" for name, value in self.facts.items())
        return f"{self.message_id} {facts}".rstrip()


def _rebuild(kind: type[BotError], message_id: str, facts: dict[str, object]) -> BotError:
    return kind(message_id, **facts)


class PersonError(BotError):
    """The person can mend it: a broken photo, too large a file, too many requests."""


class NothingFoundError(PersonError):
    """The photo has no subject that stands out; painting it by hand helps."""


class OperatorError(BotError):
    """Only whoever runs the bot can mend it: a wrong key, a service not opened, a missing setting."""


class WorldError(BotError):
    """Nobody here is at fault: a timeout, an overload, a network that went away. Trying again later may help."""
