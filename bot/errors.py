"""The errors that the program raises on purpose, by who can act on them: the person, the operator, or time.

Each carries a message id, which names its text in the catalogues, and facts for the log and the text's placeholders.
Errors travel between processes and through the database, so they pickle with all they carry.
"""

from __future__ import annotations


class BotError(Exception):
    """Base of all errors that the program raises on purpose.

    Args:
        message_id: Key of the text shown to people, such as ``photo-broken``.
        facts: Values for the log and for the text's placeholders; never secrets, never picture bytes.

    Attributes:
        retry_may_help: Whether the same request may succeed when it is made again.
    """

    retry_may_help = True

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
    """The person can fix it: a wrong command, too many requests, a photo that cannot be used."""


class UnusableInputError(PersonError):
    """The photo or the mask cannot be used, and never will be: the same input fails again."""

    retry_may_help = False


class CpuLimitError(UnusableInputError):
    """Opening a file took more processor time than any honest file takes."""


class MemoryLimitError(UnusableInputError):
    """A job needs more memory than a pixel process may have: the same picture needs it again."""


class NothingFoundError(PersonError):
    """The photo has no subject that stands out; painting it by hand helps."""

    retry_may_help = False


class OperatorError(BotError):
    """Only the operator can fix it: a wrong key, a service that is not opened, a missing setting."""


class WorldError(BotError):
    """A timeout, an overload, a broken connection: the same request may succeed later."""


class OutageError(WorldError):
    """A service that the bot cannot work without (Telegram, the database) is down. Wait for it and repeat the step."""


class PoolBusyError(OutageError):
    """Too many jobs wait for the pixel processes, of all people or of this one."""


class WorkerDiedError(WorldError):
    """A pixel process was killed or crashed; the job may be the cause."""


class WorkerKilledError(WorkerDiedError):
    """A pixel process was killed from outside again and again: the job is not the cause."""
