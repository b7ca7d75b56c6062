"""The Bot API methods that the bot uses, with Telegram's error texts; other methods answer 404."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from bot.playground import rules
from bot.playground.errors import NOT_MODIFIED, BotApiError, bad_request
from bot.playground.files import MAX_DOWNLOAD_BYTES
from bot.playground.payments import PaymentMethods
from bot.playground.rules import Parameters
from bot.playground.stored_media import store_document, store_photo
from bot.playground.telegram import Chat, Json, Telegram
from bot.playground.updates import Webhook

ACTIONS = frozenset(
    ("typing", "upload_photo", "upload_document", "upload_video", "record_video", "choose_sticker", "find_location")
)
CONTENT = ("text", "caption", "photo", "has_media_spoiler", "document", "reply_markup")
"""Fields that an edit may replace."""
COPIED = ("text", "caption", "photo", "has_media_spoiler", "document", "animation", "sticker")
"""Fields that a copy has; a service message has none of them and cannot be copied."""
WEBHOOK_PORTS = (80, 88, 443, 8443)


class BotApi:
    """The methods, by their names in lower case.

    Args:
        telegram: The state that they read and change.
    """

    def __init__(self, telegram: Telegram) -> None:
        self._telegram = telegram
        self.methods: dict[str, Callable[[Parameters], Awaitable[Any]]] = {
            name.lower(): method
            for name, method in (
                ("getMe", self._get_me),
                ("getUpdates", self._get_updates),
                ("setWebhook", self._set_webhook),
                ("deleteWebhook", self._delete_webhook),
                ("getWebhookInfo", self._get_webhook_info),
                ("setMyCommands", self._set_my_commands),
                ("getMyCommands", self._get_my_commands),
                ("setMyShortDescription", self._set_my_short_description),
                ("sendMessage", self._send_message),
                ("copyMessage", self._copy_message),
                ("sendChatAction", self._send_chat_action),
                ("setMessageReaction", self._set_message_reaction),
                ("editMessageText", self._edit_message_text),
                ("editMessageCaption", self._edit_message_caption),
                ("editMessageMedia", self._edit_message_media),
                ("editMessageReplyMarkup", self._edit_message_reply_markup),
                ("deleteMessage", self._delete_message),
                ("answerCallbackQuery", self._answer_callback_query),
                ("getFile", self._get_file),
                ("getChatMember", self._get_chat_member),
                *PaymentMethods(telegram).methods,
            )
        }

    # ── the bot itself ──

    async def _get_me(self, _given: Parameters) -> Json:
        sees_all = not self._telegram.privacy_mode
        return {**self._telegram.bot, "can_join_groups": True, "can_read_all_group_messages": sees_all}

    async def _get_updates(self, given: Parameters) -> list[Json]:
        return await self._telegram.updates.get(
            given.number("offset"), given.number("limit") or 100, given.number("timeout") or 0, _kinds(given)
        )

    async def _set_webhook(self, given: Parameters) -> bool:
        url = given.text("url") or ""
        if (urlsplit(url).port or 443) not in WEBHOOK_PORTS:
            raise bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
        webhook = Webhook(url, given.text("secret_token") or "", given.number("max_connections") or 40) if url else None
        await self._telegram.updates.set_webhook(webhook, _kinds(given), drop=given.flag("drop_pending_updates"))
        return True

    async def _delete_webhook(self, given: Parameters) -> bool:
        await self._telegram.updates.set_webhook(None, None, drop=given.flag("drop_pending_updates"))
        return True

    async def _get_webhook_info(self, _given: Parameters) -> Json:
        updates = self._telegram.updates
        webhook = updates.webhook
        info: Json = {"url": webhook.url if webhook else "", "has_custom_certificate": False}
        info["pending_update_count"] = updates.waiting
        if webhook is not None and webhook.last_error:
            info["last_error_message"] = webhook.last_error
            info["last_error_date"] = webhook.last_error_date
        return info

    async def _set_my_commands(self, given: Parameters) -> bool:
        language, commands = given.text("language_code") or "", rules.commands(given.json("commands"))
        scope = given.json("scope") or {"type": "default"}
        if scope.get("type") == "chat":
            chat = self._telegram.chat(int(scope["chat_id"])).info["id"]
            self._telegram.chat_commands.setdefault(chat, {})[language] = commands
        elif scope.get("type") == "default":
            self._telegram.commands[language] = commands
        else:
            raise bad_request("unsupported BotCommandScope specified")
        for person in self._telegram.people.values():
            commands = self._telegram.commands_for(person.get("language_code", ""), person["id"])
            self._telegram.events.add(person["id"], "commands", {"commands": commands})
        return True

    async def _get_my_commands(self, given: Parameters) -> list[Json]:
        """Those of the default scope that were set for exactly this language."""
        return self._telegram.commands.get(given.text("language_code") or "", [])

    async def _set_my_short_description(self, given: Parameters) -> bool:
        text = given.text("short_description") or ""
        if len(text) > 120:
            raise bad_request("short description is too long")
        self._telegram.short_descriptions[given.text("language_code") or ""] = text
        return True

    # ── messages ──

    async def _send_message(self, given: Parameters) -> Json:
        chat = self._telegram.chat(given.chat())
        _check_right(chat, "text messages")
        content: Json = {"text": rules.message_text(given.text("text")), **_topic(given, chat)}
        markup = rules.keyboard(given.json("reply_markup"), private=chat.is_private)
        if markup is not None:
            content["reply_markup"] = markup
        return self._telegram.post(chat, self._telegram.bot, content, _reply_to(given, chat))

    async def _copy_message(self, given: Parameters) -> Json:
        """Send a message's content again, without a link to the original and without its buttons."""
        chat = self._telegram.chat(given.chat())
        source = self._telegram.chat(given.number("from_chat_id") or 0)
        message = source.messages.get(given.number("message_id") or 0)
        if message is None:
            raise bad_request("message to copy not found")
        content: Json = {name: message[name] for name in COPIED if name in message}
        if not content:
            raise bad_request("message can't be copied")
        for name, right in (("text", "text messages"), ("photo", "photos"), ("document", "documents")):
            if name in content:
                _check_right(chat, right)
        sent = self._telegram.post(chat, self._telegram.bot, {**content, **_topic(given, chat)}, _reply_to(given, chat))
        return {"message_id": sent["message_id"]}

    async def _send_chat_action(self, given: Parameters) -> bool:
        chat = self._telegram.chat(given.chat())
        action = given.text("action") or ""
        if action not in ACTIONS:
            raise bad_request("wrong parameter action in request")
        self._telegram.events.add(chat.info["id"], "action", {"action": action, **_topic(given, chat)})
        return True

    async def _set_message_reaction(self, given: Parameters) -> bool:
        chat = self._telegram.chat(given.chat())
        emoji = rules.reaction(given.json("reaction"))
        number = given.number("message_id") or 0
        if number not in chat.messages:
            raise bad_request("message to react not found")
        if emoji is not None and chat.allowed_reactions is not None and emoji not in chat.allowed_reactions:
            raise bad_request("REACTION_INVALID")
        self._telegram.react(chat, number, emoji)
        return True

    async def _edit_message_text(self, given: Parameters) -> Json:
        chat, message = self._editable(given)
        text = rules.message_text(given.text("text"))
        if "text" not in message:
            raise bad_request("there is no text in the message to edit")
        return self._edit(chat, message, {"text": text}, given)

    async def _edit_message_caption(self, given: Parameters) -> Json:
        chat, message = self._editable(given)
        if "text" in message:
            raise bad_request("there is no caption in the message to edit")
        return self._edit(chat, message, _caption(given.text("caption"), message), given)

    async def _edit_message_reply_markup(self, given: Parameters) -> Json:
        chat, message = self._editable(given)
        content: Json = {name: message[name] for name in CONTENT if name in message and name != "reply_markup"}
        return self._edit(chat, message, content, given)

    async def _edit_message_media(self, given: Parameters) -> Json:
        chat, message = self._editable(given)
        media = given.json("media")
        if not isinstance(media, dict):
            raise bad_request("can't parse media JSON object")
        content = await self._media(media, given.uploads, chat)
        caption = rules.caption(media.get("caption"))
        # The message may have been deleted while the upload was stored.
        chat, message = self._editable(given)
        return self._edit(chat, message, {**content, **({"caption": caption} if caption else {})}, given)

    async def _delete_message(self, given: Parameters) -> bool:
        chat = self._telegram.chat(given.chat())
        number = given.number("message_id") or 0
        message = chat.messages.get(number)
        if message is None:
            raise bad_request("message to delete not found")
        if not chat.is_private and message["from"]["id"] != self._telegram.bot["id"]:
            raise bad_request("message can't be deleted")
        self._telegram.delete(chat, number)
        return True

    def _editable(self, given: Parameters) -> tuple[Chat, Json]:
        chat = self._telegram.chat(given.chat())
        message = chat.messages.get(given.number("message_id") or 0)
        if message is None:
            raise bad_request("message to edit not found")
        if message["from"]["id"] != self._telegram.bot["id"]:
            raise bad_request("message can't be edited")
        return chat, message

    def _edit(self, chat: Chat, message: Json, content: Json, given: Parameters) -> Json:
        """Replace a message's content and keyboard; without a new keyboard the old one is removed."""
        markup = rules.keyboard(given.json("reply_markup"), private=chat.is_private)
        if markup is not None:
            content = {**content, "reply_markup": markup}
        if content == {name: message[name] for name in CONTENT if name in message}:
            raise bad_request(NOT_MODIFIED)
        gone = tuple(name for name in CONTENT if name in message and name not in content)
        return self._telegram.change(chat, message, content, without=gone)

    async def _media(self, media: Json, uploads: dict[str, tuple[str, bytes]], chat: Chat) -> Json:
        source = str(media.get("media", ""))
        spoiler = {"has_media_spoiler": True} if media.get("has_spoiler") and media.get("type") == "photo" else {}
        if not source.startswith("attach://"):
            return {**self._sent_before(source, str(media.get("type")), chat), **spoiler}
        if source.removeprefix("attach://") not in uploads:
            raise bad_request("there is no file in the request")
        name, data = uploads[source.removeprefix("attach://")]
        if not data:
            raise bad_request("file must be non-empty")
        if media.get("type") == "photo":
            _check_right(chat, "photos")
            return {"photo": await store_photo(self._telegram, data), **spoiler}
        if media.get("type") == "document":
            _check_right(chat, "documents")
            return {"document": await store_document(self._telegram, data, name, "")}
        raise bad_request("type of file mismatch")

    def _sent_before(self, file_id: str, kind: str, chat: Chat) -> Json:
        """The content of a message with a file that was sent before: a photo stays a photo, a document a document."""
        try:
            content = self._telegram.files.sent_as(file_id)
        except BotApiError:
            raise bad_request(
                "wrong remote file identifier specified: can't unserialize it. Wrong last symbol"
            ) from None
        if kind not in content:
            raise bad_request("type of file mismatch")
        _check_right(chat, f"{kind}s")
        return copy.deepcopy(content)

    # ── buttons and files ──

    async def _answer_callback_query(self, given: Parameters) -> bool:
        query = self._telegram.queries.pop(given.text("callback_query_id") or "", None)
        if query is None:
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        text = given.text("text")
        if text is not None and len(text) > rules.MAX_ANSWER:
            raise bad_request("MESSAGE_TOO_LONG")
        answer = {"id": query.id, "text": text or None, "show_alert": given.flag("show_alert")}
        self._telegram.events.add(query.chat, "answer", answer)
        return True

    async def _get_chat_member(self, given: Parameters) -> Json:
        chat, number = self._telegram.chat(given.chat()), given.number("user_id") or 0
        person = self._telegram.people.get(number)
        if person is None:
            raise bad_request("invalid user_id specified")
        if number in chat.admins:
            return {"status": "creator", "user": person, "is_anonymous": True}
        return {"status": "member", "user": person}

    async def _get_file(self, given: Parameters) -> Json:
        try:
            file = self._telegram.files.get(given.text("file_id") or "")
        except BotApiError:
            raise bad_request("invalid file_id") from None
        if len(file.data) > MAX_DOWNLOAD_BYTES:
            raise bad_request("file is too big")
        info = {"file_id": file.file_id, "file_unique_id": file.unique_id, "file_size": len(file.data)}
        return {**info, "file_path": file.path}


def _kinds(given: Parameters) -> list[str] | None:
    kinds = given.json("allowed_updates")
    return [str(kind) for kind in kinds] if isinstance(kinds, list) else None


def _caption(text: str | None, message: Json) -> Json:
    media: Json = {name: message[name] for name in ("photo", "has_media_spoiler", "document") if name in message}
    trimmed = rules.caption(text)
    return {**media, **({"caption": trimmed} if trimmed else {})}


def _check_right(chat: Chat, what: str) -> None:
    if what in chat.forbidden:
        raise bad_request(f"not enough rights to send {what} to the chat")


def _topic(given: Parameters, chat: Chat) -> Json:
    """The fields of a message in a topic; {} without a topic."""
    topic = given.number("message_thread_id")
    if topic is None:
        return {}
    if topic not in chat.topics:
        raise bad_request("message thread not found")
    return {"message_thread_id": topic, "is_topic_message": True}


def _reply_to(given: Parameters, chat: Chat) -> int | None:
    reply = given.json("reply_parameters")
    if not isinstance(reply, dict) or "message_id" not in reply:
        return None
    if reply["message_id"] not in chat.messages:
        if not reply.get("allow_sending_without_reply"):
            raise bad_request("message to be replied not found")
        return None
    return int(reply["message_id"])
