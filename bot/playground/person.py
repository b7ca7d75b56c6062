"""A simulated person: sends texts, photos and files, replies, presses buttons, edits, blocks the bot."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from bot.playground import payments, rules
from bot.playground.errors import BotApiError, bad_request
from bot.playground.stored_media import store_document, store_photo
from bot.playground.telegram import CHANNEL_BOT, GROUP_ANONYMOUS_BOT, CallbackQuery, Chat, Json, Telegram

MAX_FILE_BYTES = 100_000_000
"""Bytes of a file that a person may send; Telegram's limit of 2 GB would not fit in memory."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture or file that a person sends.

    Attributes:
        data: Its bytes.
        name: Its file name.
        mime: Its media type; empty: guessed from the name.
        as_file: Whether it is sent as a file, not as a photo.
        spoiler: Whether the photo is sent under a spoiler.
    """

    data: bytes
    name: str = "photo.jpg"
    mime: str = ""
    as_file: bool = False
    spoiler: bool = False


class Person:
    """A person with a private chat with the bot.

    Args:
        telegram: The playground's state.
        number: The person's user id.
        first_name: The person's name.
        language: The Bot API's ``language_code``, such as ``en`` or ``zh-hans``; None: none is sent.
    """

    def __init__(
        self, telegram: Telegram, number: int = 1001, *, first_name: str = "You", language: str | None = "en"
    ) -> None:
        self._telegram = telegram
        self.id = number
        self.user: Json = {"id": number, "is_bot": False, "first_name": first_name}
        if language:
            self.user["language_code"] = language
        telegram.add_person(self.user)

    @property
    def chat(self) -> Chat:
        """The private chat with the bot."""
        return self._telegram.chats[self.id]

    @property
    def messages(self) -> list[Json]:
        """The messages of the private chat, in order."""
        return list(self.chat.messages.values())

    @property
    def answers(self) -> list[Json]:
        """The bot's messages in the private chat."""
        return [message for message in self.messages if message["from"]["is_bot"]]

    def set_language(self, language: str) -> None:
        """Set the language of the person's app."""
        self.user["language_code"] = language

    async def write(
        self,
        text: str,
        *,
        reply_to: int | None = None,
        group: Chat | None = None,
        topic: int | None = None,
        in_name_of: Json | None = None,
        reply_elsewhere: Json | None = None,
        forwarded_from: Json | None = None,
    ) -> Json:
        """Send a text.

        Args:
            text: The text.
            reply_to: Id of the message in the same chat that it replies to.
            group: The group; None: the private chat.
            topic: Id of the forum's topic.
            in_name_of: The chat in whose name it is sent: the group itself (an anonymous admin) or a channel.
            reply_elsewhere: A message of another chat that it replies to.
            forwarded_from: The Bot API's MessageOrigin, if it is forwarded.
        """
        content: Json = {"text": rules.message_text(text)}
        if forwarded_from is not None:
            content["forward_origin"] = forwarded_from
        if reply_elsewhere is not None:
            copied = ("photo", "document", "animation", "has_media_spoiler")
            origin = {"type": "user", "date": reply_elsewhere["date"], "sender_user": reply_elsewhere["from"]}
            content["external_reply"] = {
                "origin": origin,
                **{name: reply_elsewhere[name] for name in copied if name in reply_elsewhere},
            }
        return self._send(content, reply_to, group, topic, in_name_of)

    async def send(
        self,
        *uploads: Upload,
        caption: str = "",
        reply_to: int | None = None,
        group: Chat | None = None,
        topic: int | None = None,
        in_name_of: Json | None = None,
        caption_on: int = 0,
    ) -> list[Json]:
        """Send photos or files; several become an album, with the caption on one of them. See `write`.

        Raises:
            BotApiError: One of them is refused; nothing was sent.
        """
        text = rules.caption(caption)
        contents = [await self._content(upload) for upload in uploads]
        if len(contents) > 1:
            album = str(secrets.randbits(62))
            contents = [{**content, "media_group_id": album} for content in contents]
        if text:
            contents[caption_on]["caption"] = text
        return [self._send(content, reply_to, group, topic, in_name_of) for content in contents]

    async def send_sticker(self) -> Json:
        """Send a sticker."""
        file = self._telegram.files.put(b"RIFF\x00\x00\x00\x00WEBP", "stickers", mime="image/webp")
        sticker = {
            "file_id": file.file_id,
            "file_unique_id": file.unique_id,
            "type": "regular",
            "width": 512,
            "height": 512,
            "is_animated": False,
            "is_video": False,
            "emoji": "🐳",
        }
        return self._send({"sticker": sticker}, None, None)

    async def edit(self, message_id: int, text: str) -> Json:
        """Edit one of the person's messages."""
        message = self.chat.messages[message_id]
        field = "text" if "text" in message else "caption"
        changed = self._telegram.change(self.chat, message, {field: text})
        self._telegram.updates.add("edited_message", changed)
        return changed

    async def press(self, message_id: int, data: str, *, group: Chat | None = None) -> str:
        """Press a button below a message; returns the id of the callback query; its answer is an event.

        Raises:
            BotApiError: There is no such button.
        """
        chat = group or self.chat
        message = chat.messages.get(message_id)
        if message is None or data not in [button.get("callback_data") for button in buttons(message)]:
            raise bad_request("there is no such button any more")
        query = CallbackQuery(str(secrets.randbits(62)), chat.info["id"])
        self._telegram.queries[query.id] = query
        update = {"id": query.id, "from": self.user, "message": message, "chat_instance": "1", "data": data}
        self._telegram.updates.add("callback_query", update)
        return query.id

    async def press_labelled(self, message_id: int, label: str, *, group: Chat | None = None) -> str:
        """Press the button whose label contains these words."""
        message = (group or self.chat).messages[message_id]
        for button in buttons(message):
            if label.lower() in button["text"].lower() and "callback_data" in button:
                return await self.press(message_id, button["callback_data"], group=group)
        raise bad_request(f"there is no button {label!r}, only {[button['text'] for button in buttons(message)]}")

    async def pay(self, message_id: int) -> Json:
        """Pay an invoice; see `payments.pay`."""
        return await payments.pay(self._telegram, self.user, self.chat, message_id)

    def delete(self, message_id: int) -> None:
        """Delete a message for both sides."""
        self._telegram.delete(self.chat, message_id)

    def block(self, *, blocked: bool = True) -> None:
        """Block or unblock the bot."""
        self.chat.blocked = blocked

    def _send(
        self,
        content: Json,
        reply_to: int | None,
        group: Chat | None,
        topic: int | None = None,
        in_name_of: Json | None = None,
    ) -> Json:
        chat, sender = group or self.chat, self.user
        if topic is not None:
            chat.topics.add(topic)
            content |= {"message_thread_id": topic, "is_topic_message": True}
        if in_name_of is not None:
            sender = GROUP_ANONYMOUS_BOT if in_name_of["id"] == chat.info["id"] else CHANNEL_BOT
            content |= {"sender_chat": in_name_of}
        message = self._telegram.post(chat, sender, content, reply_to)
        self._telegram.updates.add("message", message)
        return message

    async def _content(self, upload: Upload) -> Json:
        if len(upload.data) > MAX_FILE_BYTES:
            raise BotApiError(413, "Request Entity Too Large")
        if not upload.data:
            raise bad_request("file must be non-empty")
        if upload.as_file:
            document = await store_document(self._telegram, upload.data, upload.name, upload.mime)
            content: Json = {"document": document}
            if document["mime_type"] == "image/gif":  # Telegram converts it to an animation and sends both fields
                content["animation"] = {**document, "width": 320, "height": 240, "duration": 1}
            return content
        spoiler = {"has_media_spoiler": True} if upload.spoiler else {}
        return {"photo": await store_photo(self._telegram, upload.data), **spoiler}


def buttons(message: Json) -> list[Json]:
    """All buttons below a message."""
    return [button for row in message.get("reply_markup", {}).get("inline_keyboard", []) for button in row]
