"""An album's photos that came before its command."""

from __future__ import annotations

import pytest

from bot.edits.bare_photos import BarePhoto, Offer
from bot.edits.model import EditCommand, Operation, PhotoRef
from bot.edits.records.limits import EditLimits
from bot.edits.records.store import Store
from bot.edits.requests import EditRequest
from bot.edits.unasked import Unasked
from bot.storage.database import Database

QUESTION = 77


class SlowEdits:
    """While it records an edit, the question of the same photo is posted."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.requests: list[EditRequest] = []
        self.removed: list[int] = []

    async def submit(self, request: EditRequest) -> None:
        self.requests.append(request)
        (offer,) = await self._store.offers.of_album(7, 7, "album")
        assert await self._store.offers.set_status_message(offer.id, QUESTION)

    def remove_question(self, _offer: Offer, message: int) -> None:
        self.removed.append(message)


@pytest.fixture
def store(database: Database) -> Store:
    return Store(database, EditLimits())


@pytest.mark.parametrize(("posted", "removed"), [(None, [QUESTION]), (QUESTION, [])], ids=["meanwhile", "before"])
async def test_a_question_that_is_posted_while_the_command_comes_is_removed(
    store: Store, posted: int | None, removed: list[int]
) -> None:
    offer = await store.offers.add(BarePhoto(7, 7, 3, PhotoRef("f", "u"), "en", album="album"))
    if posted is not None:
        await store.offers.set_status_message(offer.id, posted)
    edits = SlowEdits(store)
    await Unasked(store, edits).take_album(7, 7, "album", EditCommand(Operation.REMOVE_SUBJECT))
    assert [request.status_message for request in edits.requests] == [posted], "a posted question becomes the answer"
    assert edits.removed == removed
    assert await store.offers.get(offer.id) is None
