"""Photos that came without a command, where a command may follow or the photo itself may say what is meant."""

from __future__ import annotations

from bot.edits.model import BarePhoto, EditCommand, PhotoRef
from bot.edits.records.store import Store
from bot.edits.requests import EditRequest
from bot.edits.service import Edits
from bot.errors import PersonError


class Unasked:
    """Handles photos that came without a command.

    Args:
        store: The store.
        edits: Submits edits.
    """

    def __init__(self, store: Store, edits: Edits) -> None:
        self._store = store
        self._edits = edits

    async def ask(self, bare: BarePhoto) -> None:
        """Ask what to do with a photo.

        Raises:
            PersonError: ``storage-full``.
        """
        self._edits.ask(await self._store.offers.add(bare))

    async def keep_silently(self, bare: BarePhoto) -> None:
        """Keep a photo of an album for the command that may stand on a later one, and say nothing.

        Raises:
            PersonError: ``storage-full``.
        """
        await self._store.offers.add(bare, silent=True)

    async def compare(self, bare: BarePhoto, original: PhotoRef) -> None:
        """Erase what is painted on a photo, if it is a painted copy of the original; else ask what to do with it.

        Raises:
            PersonError: As `Edits.submit` does.
        """
        await self._store.offers.add(bare, silent=True)
        await self._edits.submit(EditRequest.guess(bare, original))

    async def take_album(self, chat: int, person: int, album: str, command: EditCommand) -> None:
        """Run the command on the album's photos that came before their command; their questions become the answers.

        Raises:
            PersonError: What `Edits.submit` raised for the first photo that it refused; its question stays.
        """
        refused: PersonError | None = None
        for offer in await self._store.offers.of_album(chat, person, album):
            try:
                await self._edits.submit(EditRequest.from_offer(offer, command, status_message=offer.status_message))
            except PersonError as error:
                refused = refused or error
            else:
                question = await self._store.offers.delete(offer.id)
                if question is not None and question != offer.status_message:  # it was posted in the meantime
                    self._edits.remove_question(offer, question)
        if refused is not None:
            raise refused
