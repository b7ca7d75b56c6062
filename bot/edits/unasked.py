"""Photos that came without a command, where a command may follow or the photo itself may say what is meant."""

from __future__ import annotations

from bot.edits.bare_photos import BarePhoto, Offer
from bot.edits.model import Edit, EditCommand, Operation, PhotoRef
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
        """Ask what to do with a photo; about an album there is one question.

        Raises:
            PersonError: ``storage-full``; what `Edits.submit` raises, if the album's question was answered meanwhile.
        """
        offer = await self._store.offers.add(bare)
        if bare.album is not None:
            answer = await self._store.pending_commands.of_album(bare.chat, bare.album)
            if answer is not None:
                await self.take_album(bare.chat, bare.person, bare.album, answer)
                return
        self._edits.ask(offer)

    async def keep_silently(self, bare: BarePhoto) -> Offer:
        """Keep a photo for a command that comes later, and say nothing.

        Raises:
            PersonError: ``storage-full``.
        """
        return await self._store.offers.add(bare, silent=True)

    async def compare(self, bare: BarePhoto, original: PhotoRef) -> None:
        """Erase what is painted on a photo, if it is a painted copy of the original; else ask what to do with it.

        Raises:
            PersonError: As `Edits.submit` does.
        """
        await self._store.offers.add(bare, silent=True)
        await self._edits.submit(EditRequest.guess(bare, original))

    async def accept(self, offer_id: str, command: EditCommand, person: int, *, shown: int | None) -> None:
        """Carry out a command on an offered photo, or on all photos of its album.

        The question becomes the status message; that about an album counts the answers, which come one by one.

        Args:
            offer_id: Id of the offer.
            command: What the person chose.
            person: The person who chose.
            shown: Id of the message whose button was pressed.

        Raises:
            PersonError: ``not-yours``, ``too-old``, and what `Edits.submit` raises. Refused photos of an album stay
                offered, and can be accepted again.
        """
        offer = await self._store.offers.get(offer_id)
        if offer is None:
            raise PersonError("too-old")
        if offer.person != person:
            raise PersonError("not-yours")
        if shown is not None and (offer.status_message is None or offer.silent):
            # The process that posted it crashed before recording it, or it is the refusal of the photo.
            await self._store.offers.set_status_message(offer.id, shown)
        message = shown or offer.status_message
        if offer.album is not None and message is not None:
            of_album = await self._store.offers.of_album(offer.chat, person, offer.album)
            if len(of_album) > 1:
                await self._accept_album(of_album, offer.album, command, message)
                return
        await self._edits.submit(EditRequest.from_offer(offer, command, status_message=message))

    async def _accept_album(self, offers: list[Offer], album: str, command: EditCommand, message: int) -> None:
        chat = offers[0].chat
        answer = await self._store.pending_commands.of_album(chat, album)
        if answer is not None and answer.operation is not command.operation:
            raise PersonError("still-working")  # two buttons pressed at once: the first counts
        await self._store.pending_commands.remember_for_album(chat, album, command)
        is_counted = command.operation is not Operation.ERASE  # each of those has a canvas of its own
        refused: PersonError | None = None
        counted: Edit | None = None
        for offer in offers:
            if is_counted:
                request = EditRequest.from_offer(offer, command, status_message=None, album_status=message)
            else:
                request = EditRequest.from_offer(offer, command, status_message=offer.status_message)
            try:
                edit, _ = await self._edits.submit(request)
                counted = edit
            except PersonError as error:
                refused = refused or error
        if counted is not None:
            self._edits.show_album_count(counted)
        if refused is not None:
            raise refused

    async def take_album(self, chat: int, person: int, album: str, command: EditCommand) -> None:
        """Run the command on the album's photos that came before their command; their question becomes an answer.

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

    async def stop_album(self, edit_id: str, person: int) -> None:
        """Stop all edits of an edit's album that have not ended.

        Raises:
            PersonError: As `Edits.get_owned` does.
        """
        edit = await self._edits.get_owned(edit_id, person)
        if edit.album_status is None:
            raise PersonError("too-old")
        for pending in reversed(await self._store.albums.pending(edit.chat, edit.album_status)):
            try:
                await self._edits.stop(pending)
            except PersonError:
                continue  # it is being delivered
