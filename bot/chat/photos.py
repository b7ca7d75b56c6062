"""Finds the photo in a message."""

from __future__ import annotations

from telegram import Document, ExternalReplyInfo, Message

from bot.edits.model import PhotoRef

ENDINGS = (
    *(".jpg", ".jpeg", ".jfif", ".mpo", ".png", ".webp", ".gif"),
    *(".heic", ".heif", ".avif", ".bmp", ".tif", ".tiff"),
)


def replied_to(message: Message) -> Message | ExternalReplyInfo | None:
    """What a message replies to, also in another chat or topic; None if it is no reply."""
    return message.reply_to_message or message.external_reply


def has_attachment(message: Message | ExternalReplyInfo) -> bool:
    """Whether a message has anything but text."""
    if isinstance(message, Message):
        return bool(message.effective_attachment)
    kinds = ("photo", "document", "animation", "sticker", "video", "video_note", "audio", "voice", "story")
    return any(getattr(message, kind) for kind in kinds)


def photo_in(message: Message | ExternalReplyInfo | None) -> PhotoRef | None:
    """The message's photo in its largest size, or its image file; None if it has neither."""
    if message is None:
        return None
    if message.photo:
        largest = message.photo[-1]
        spoiler = bool(message.has_media_spoiler)
        return PhotoRef(largest.file_id, largest.file_unique_id, size=largest.file_size, spoiler=spoiler)
    if message.document and not message.animation and _is_picture(message.document):
        file = message.document
        return PhotoRef(file.file_id, file.file_unique_id, as_file=True, name=file.file_name, size=file.file_size)
    return None


def _is_picture(file: Document) -> bool:
    """Whether a file's type or name says that it is a picture; decoding shows later whether it is one."""
    if file.mime_type and file.mime_type.startswith("image/"):
        return True
    return (file.file_name or "").lower().endswith(ENDINGS)
