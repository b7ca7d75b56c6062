"""Paying on the chat page: an invoice has a button, and pressing it pays with the playground's free Stars."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.page.chat_page import ChatPage
from tests.page.program import running_playground

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def playground(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    folder = tmp_path_factory.mktemp("data")
    async with running_playground(folder, edits_per_day=1, stars_packs="2:25", admins="1001") as url:
        yield url


async def test_an_invoice_is_shown_and_paid(chat: ChatPage) -> None:
    await chat.write("/buy")
    await chat.button(chat.answers.last, "2 more edits").click()
    invoice = chat.messages.filter(has_text="beyond the 1 free ones")
    await expect(invoice).to_be_visible()
    invoice = await chat.by_message_id(invoice)
    await chat.button(invoice, "Pay ⭐ 25").click()
    await expect(chat.messages.filter(has_text="Paid: ⭐ 25")).to_be_visible()
    await expect(chat.messages.filter(has_text="you have 2 beyond the free ones")).to_be_visible()
