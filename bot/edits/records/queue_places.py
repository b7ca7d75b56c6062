"""Places in the queue: how many edits are ahead of one, and whose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from bot.edits.model import PENDING_STATES, Edit, State
from bot.storage.tables import edits


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """What is ahead of an edit in the queue.

    Attributes:
        ahead: Pending edits ahead of it: 0 if it is next, or running.
        running: How many of them run already.
        own: How many of them are the same person's. They run one after another.
        turns: How many of the other people's come before it: people take turns, so of a person with many edits only
            one comes before the first edit of another person.
    """

    ahead: int = 0
    running: int = 0
    own: int = 0
    turns: int = 0


@dataclass(frozen=True, slots=True)
class PendingEdit:
    """An edit that is queued or running.

    Attributes:
        id: Its id.
        chat: Id of its chat.
        person: Id of its owner.
        state: `QUEUED` or `RUNNING`.
        has_message: Whether it has a status message. One of an album may have none before it runs.
    """

    id: str
    chat: int
    person: int
    state: State
    has_message: bool


def place_behind(person: int, ahead: Iterable[tuple[int, bool, int]]) -> QueuePlace:
    """The place behind these pending edits.

    Args:
        person: Whose edit it is.
        ahead: The edits ahead: person, whether they run, and how many they are.
    """
    of_person: Counter[int] = Counter()
    running = 0
    for owner, is_running, count in ahead:
        of_person[owner] += count
        running += count if is_running else 0
    own = of_person.pop(person, 0)
    turns = sum(min(count, own + 1) for count in of_person.values())
    return QueuePlace(own + of_person.total(), running, own, turns)


def queue_place(connection: sa.Connection, edit: Edit) -> QueuePlace:
    """An edit's place, as `place_behind` counts it. Reads only the pending edits, and counts them in the database."""
    is_ahead = sa.and_(edits.c.state.in_(PENDING_STATES), edits.c.number < edit.number)
    is_running = sa.case((edits.c.state == State.RUNNING, 1), else_=0)
    of_own = sa.select(sa.func.count()).select_from(edits).where(is_ahead, edits.c.person == edit.person)
    own = int(connection.execute(of_own).scalar_one())
    each = sa.select(edits.c.person, sa.func.count().label("count"), sa.func.sum(is_running).label("running"))
    of_person = each.where(is_ahead).group_by(edits.c.person).subquery()
    counted = sa.case(
        (of_person.c.person == edit.person, 0), (of_person.c.count > own + 1, own + 1), else_=of_person.c.count
    )
    sums = (sa.func.coalesce(sa.func.sum(column), 0) for column in (of_person.c.count, of_person.c.running, counted))
    ahead, running, turns = connection.execute(sa.select(*sums)).one()
    return QueuePlace(int(ahead), int(running), own, int(turns))
