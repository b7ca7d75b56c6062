"""Lists every handler in order, on python-telegram-bot's Application.

The Application has no updater: updates come from `intake`, which confirms an update only when its handler has returned.
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

from bot.chat.commands import AsksForEdit, Command, NamesBackground
from bot.chat.handlers import buttons, operations, payments, privacy, settings, welcome
from bot.chat.handlers.operators import OperatorHandler
from bot.chat.photos import photo_in
from bot.chat.services import App, ChatServices, Context
from bot.chat.updates.gate import Gate

log = structlog.get_logger()


class HasPhoto(filters.MessageFilter):
    """Matches messages that carry a photo or an image file."""

    def filter(self, message: object) -> bool:
        """Whether the message carries one."""
        from telegram import Message

        return isinstance(message, Message) and photo_in(message) is not None


def handlers() -> list[BaseHandler[Update, Context, None]]:
    """All handlers; the first that matches an update handles it."""
    new = filters.UpdateType.MESSAGE
    return [
        MessageHandler(new & Command("start"), welcome.start),
        MessageHandler(new & Command("help"), welcome.help_),
        MessageHandler(new & Command("privacy"), privacy.privacy),
        MessageHandler(new & Command("delete_my_data"), privacy.delete_my_data),
        MessageHandler(new & Command("settings"), settings.show_settings),
        MessageHandler(new & Command("language"), settings.choose_language),
        MessageHandler(new & Command("buy"), payments.buy),
        MessageHandler(new & Command("paysupport"), payments.pay_support),
        MessageHandler(new & NamesBackground(), operations.background_named),
        MessageHandler(new & AsksForEdit(), operations.command),
        MessageHandler(new & HasPhoto(), operations.bare_photo),
        CallbackQueryHandler(buttons.button_pressed),
        MessageHandler(new & (filters.TEXT | filters.ATTACHMENT), welcome.not_understood),
    ]


def make_application(bot: ExtBot[None], services: ChatServices) -> App:
    """The Application with all handlers. Call its `initialize` before it processes updates."""
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
    application.add_handler(MessageHandler(filters.StatusUpdate.MIGRATE, _follow_chat), group=-2)
    application.add_handlers(payments.payment_handlers(), group=-2)
    application.add_handler(OperatorHandler(services.operators.admins), group=-1)
    application.add_handler(TypeHandler(Update, Gate().check), group=-1)
    for handler in handlers():
        application.add_handler(handler)
    application.add_error_handler(_record_failure)
    return application


async def _follow_chat(update: Update, context: Context) -> None:
    """Follow a group that became a supergroup; either chat gets a message about it."""
    message = update.effective_message
    assert message is not None
    old, new = message.migrate_from_chat_id or message.chat.id, message.migrate_to_chat_id or message.chat.id
    if old in context.services.allowed_users and new not in context.services.allowed_users:
        log.warning("allowed_group_moved", old=old, new=new, advice="change ALLOWED_USERS")
    await context.services.chat_moves.follow(old, new)
    context.services.settings.invalidate()
    raise ApplicationHandlerStop


async def _record_failure(update: object, context: Context) -> None:
    """Leave a handler's error for `intake`, so that the update is not confirmed. `process_update` does not raise it.

    Later handlers do not run: without the person's settings they would do something else.
    """
    if isinstance(update, Update) and context.error is not None:
        context.services.failures[update.update_id] = context.error
    raise ApplicationHandlerStop
