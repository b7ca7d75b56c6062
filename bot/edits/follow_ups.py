"""Builds the requests that follow an edit: its next variant, and its correction by hand."""

from __future__ import annotations

import itertools

from bot.edits.model import Edit, Operation, State, StoredMask
from bot.edits.records.store import Store
from bot.edits.requests import EditRequest


async def variant_request(store: Store, edit: Edit) -> EditRequest:
    """The request for an edit with changed fields (seed, finish, shadow) and the same mask."""
    stored = await store.mask(edit.id)
    return EditRequest.variant_of(edit, root=await _variant_root(store, edit, stored), stored=stored)


async def _variant_root(store: Store, edit: Edit, stored: StoredMask | None) -> str:
    """The id of the edit that this one is a variant of: its parent's, or its own."""
    if edit.parent is None:
        return edit.id
    if edit.operation is Operation.ERASE:
        # The parent may be the round before, which is no variant of the same picture. The first variant has seed 1.
        return edit.parent if edit.seed > 1 else edit.id
    # A variant has its parent's mask; a cut-out that was corrected by hand has another.
    return edit.parent if await store.mask(edit.parent) == stored else edit.id


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


async def can_go_back(store: Store, edit: Edit) -> bool:
    """Whether a result was shown before the person asked for something else."""
    before = await store.get(edit.parent) if edit.chooses and edit.parent else None
    return before is not None and before.state is State.DONE
