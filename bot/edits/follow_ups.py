"""What follows an edit, and what came before it: its next variant, its correction, the result before it, its photo."""

from __future__ import annotations

import itertools

from bot.edits.model import Edit, PhotoRef
from bot.edits.records.store import Store
from bot.edits.requests import EditRequest

MAX_ROUNDS = 50
"""Edits to follow back to the photo that the person sent; with more rounds an earlier result is used instead."""


async def variant_request(store: Store, edit: Edit) -> EditRequest:
    """The request for an edit with changed fields (seed, finish, shadow) and the same mask."""
    stored = await store.mask(edit.id)
    return EditRequest.variant_of(edit, root=await store.variants.root(edit), stored=stored)


async def correction_request(store: Store, edit: Edit) -> EditRequest:
    """The request for a correction by hand: the same as before until that one has ended, then a new one."""
    # A person who paints when the bot asks about a doubtful find has rejected the find.
    stored = None if edit.is_doubtful else await store.mask(edit.id)
    for number in itertools.count(1):
        request = EditRequest.correction_of(edit, number=number, stored=stored)
        known = await store.by_key(request.key)
        if known is None or not known.state.is_final:
            return request
    raise AssertionError("unreachable")


async def result_before(store: Store, edit: Edit) -> Edit | None:
    """The result that was shown before the person asked for a variant or for something else; None if there was none."""
    if not edit.chooses:
        return await store.variants.shown_before(edit)
    before = await store.get(edit.parent) if edit.parent else None
    return before if before is not None and before.result is not None else None


async def can_go_back(store: Store, edit: Edit) -> bool:
    """Whether a result was shown before the person asked for a variant or for something else."""
    return await result_before(store, edit) is not None


async def photo_as_sent(store: Store, edit: Edit) -> PhotoRef:
    """The photo that the person sent, also if the edit works on the result of an earlier round."""
    for _ in range(MAX_ROUNDS):
        before = await store.get(edit.parent) if edit.parent else None
        works_on = (before.photo, before.result) if before is not None else ()
        if before is None or edit.photo.unique_id not in [photo.unique_id for photo in works_on if photo is not None]:
            break
        edit = before
    return edit.photo
