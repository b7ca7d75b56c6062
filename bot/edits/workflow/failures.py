"""What happens when an edit fails: it is recorded, shown in the status message, or asked about instead."""

from __future__ import annotations

import structlog

from bot.edits.follow_ups import can_go_back
from bot.edits.model import DOUBTFUL, Edit, State
from bot.edits.pictures.editor import Editor
from bot.edits.pictures.files import EditFiles
from bot.edits.pictures.job import DoubtfulFindError
from bot.edits.ports import ChatGoneError, Courier, PicturesRefusedError, StatusMessageGoneError
from bot.edits.records.store import Store
from bot.edits.workflow.announcer import Announcer
from bot.edits.workflow.metrics import EDITS
from bot.errors import BotError
from bot.imaging.turns import on_behalf_of

log = structlog.get_logger()


class Failures:
    """Records and shows failures; the parameters are those of `EditSteps`."""

    def __init__(
        self, *, store: Store, editor: Editor, courier: Courier, announcer: Announcer, files: EditFiles
    ) -> None:
        self._store = store
        self._editor = editor
        self._courier = courier
        self._announcer = announcer
        self._files = files

    async def fail(self, edit_id: str, error: BotError) -> None:
        """Record the failure and show it in the status message."""
        if not isinstance(error, ChatGoneError) and await self._ask_instead(edit_id):
            return
        edit = await self._store.fail(edit_id, error.message_id) or await self._store.get(edit_id)
        if edit is None or edit.state is not State.FAILED:
            return
        log.warning("edit_failed", edit=edit.id, operation=edit.operation, reason=str(error), kind=type(error).__name__)
        if error.message_id != DOUBTFUL:  # a question is no failure
            EDITS.labels(edit.operation, edit.engine or "none", error.message_id).inc()
        if isinstance(error, ChatGoneError):
            return
        try:
            await self._show_failure(edit, error)
        except (StatusMessageGoneError, ChatGoneError) as gone:
            log.info("failure_not_shown", edit=edit.id, reason=str(gone))

    async def _ask_instead(self, edit_id: str) -> bool:
        """Ask what to do with a photo that was wrongly taken for a painted copy; returns whether it was."""
        edit = await self._store.get(edit_id)
        if edit is None or not edit.guessed or edit.has_mask or edit.state is State.CANCELLED:
            return False
        offer = await self._store.offers.ask_after_all(edit.chat, edit.message, edit.status_message)
        await self._store.change(edit_id, state=State.CANCELLED, stage=None)
        if offer is not None and offer.status_message is not None:
            try:
                await self._courier.show_question(offer)
            except StatusMessageGoneError:
                await self._store.offers.ask_after_all(edit.chat, edit.message, None)
            except ChatGoneError:
                log.info("question_not_shown", edit=edit.id)
        return True

    async def _show_failure(self, edit: Edit, error: BotError) -> None:
        picture = await self._doubtful_picture(edit) if isinstance(error, DoubtfulFindError) else None
        back = await can_go_back(self._store, edit)
        announced = await self._announcer.announce(edit)
        try:
            await self._courier.show_failure(announced, error, picture, can_go_back=back)
        except PicturesRefusedError as refused:
            changed = await self._store.change(edit.id, error=refused.message_id)
            if changed is not None:
                await self._courier.show_failure(changed, refused, can_go_back=back)

    async def _doubtful_picture(self, edit: Edit) -> bytes | None:
        """The photo with the find highlighted; None if it cannot be made: the question is asked without it."""
        found = await self._store.mask(edit.id)
        try:
            if found is None:
                return None
            with on_behalf_of(edit.person):
                return await self._editor.highlight_subject(await self._files.fetch(edit.photo), found.png)
        except BotError as error:
            log.warning("doubtful_find_not_shown", edit=edit.id, reason=str(error))
            return None
