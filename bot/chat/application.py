"""The chat side, put together: every handler in order, on python-telegram-bot's Application.

The Application gets no updater: updates come from `intake`, which confirms one only when its handler has returned.
"""

from __future__ import annotations

import structlog
from telegram import Update
from telegram.ext import (
    Application,
    ApplicationHandlerStop,
    BaseHandler,
    CallbackQueryHandler,
    ContextTypes,
    ExtBot,
    MessageHandler,
    TypeHandler,
    filters,
)

from bot.chat.api.flood_limiter import FloodLimiter, SharedLimits
from bot.chat.api.transport import AiohttpRequest
from bot.chat.commands import Command
from bot.chat.handlers import buttons, operations, welcome
from bot.chat.photos import photo_in
from bot.chat.services import App, ChatServices, Context

log = structlog.get_logger()

ALLOWED_UPDATES = ["message", "callback_query"]
"""What Telegram is asked for: no edited messages (an edited command must not run again), nothing unused."""


class HasPhoto(filters.MessageFilter):
    """Matches messages that carry a photo or an image file."""

    def filter(self, message: object) -> bool:
        """Whether it does."""
        from telegram import Message

        return isinstance(message, Message) and photo_in(message) is not None


def handlers() -> list[BaseHandler[Update, Context, None]]:
    """Everything a person can do, in the order in which it is looked for."""
    new = filters.UpdateType.MESSAGE
    return [
        MessageHandler(new & Command("start"), welcome.start),
        MessageHandler(new & Command("help"), welcome.help_),
        MessageHandler(new & Command("delete_my_data"), welcome.delete_my_data),
        MessageHandler(new & Command("remove_subject", "remove_background", "erase"), operations.command),
        MessageHandler(new & HasPhoto(), operations.photo),
        CallbackQueryHandler(buttons.pressed),
        MessageHandler(new & ~filters.StatusUpdate.ALL, welcome.not_understood),
    ]


def make_bot(
    token: str, api_url: str, shared_limits: SharedLimits | None = None, *, connections: int = 100
) -> ExtBot[None]:
    """The Bot API's client: our transport, our limiter; with other processes that have the same token at one pace."""
    return ExtBot(
        token,
        base_url=f"{api_url}/bot",
        base_file_url=f"{api_url}/file/bot",
        request=AiohttpRequest(connections=connections),
        get_updates_request=AiohttpRequest(connections=1, seconds=10),
        rate_limiter=FloodLimiter(shared_limits=shared_limits),
    )


def make_application(bot: ExtBot[None], services: ChatServices) -> App:
    """The Application with all handlers; `initialize` it before updates are processed."""
    application: App = (
        Application.builder()
        .bot(bot)
        .updater(None)
        .job_queue(None)
        .concurrent_updates(False)
        .context_types(ContextTypes(context=Context))
        .build()
    )
    application.bot_data["services"] = services
    application.add_handler(TypeHandler(Update, _let_in), group=-1)
    for handler in handlers():
        application.add_handler(handler)
    application.add_error_handler(_remember_failure)
    return application


async def _let_in(update: Update, context: Context) -> None:
    """Only whom the operator allows; strangers are told once they write in private."""
    services, user = context.services, update.effective_user
    if not services.allowed_users or (user is not None and user.id in services.allowed_users):
        return
    if update.callback_query:
        await update.callback_query.answer(services.say(user, "not-allowed"), show_alert=True)
    elif update.message and update.message.chat.type == "private":
        await welcome.answer(update, context, "not-allowed")
    raise ApplicationHandlerStop


async def _remember_failure(update: object, context: Context) -> None:
    """Tell `intake` that a handler failed: python-telegram-bot would swallow it, and the update would be confirmed."""
    if isinstance(update, Update) and context.error is not None:
        context.services.failures[update.update_id] = context.error
