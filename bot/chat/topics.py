"""The topics of forums: groups, and private chats, that are divided into threads."""

from __future__ import annotations

from telegram import Message


def topic_of(message: Message) -> int | None:
    """Id of the topic that a message is in; None outside topics.

    Replies in a group without topics have a `message_thread_id` too, but sending to it fails
    (docs/telegram.md#chat-actions).
    """
    return message.message_thread_id if message.is_topic_message else None
