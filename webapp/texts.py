"""The few words that the API itself says, in the person's language; all else is worded by whoever wires it up."""

from __future__ import annotations

import re

TEXTS = {
    "en": {
        "not-found": "There is no such photo here any more. Send it to the bot again.",
        "unauthorized": "Please open this page from the bot's chat again.",
        "rate-limited": "That was a lot at once. Please wait a moment and try again.",
        "too-large": "That is too large to be sent here.",
        "wrong-type": "This kind of data is not taken here.",
        "bad-request": "This request could not be understood.",
        "method-not-allowed": "This cannot be done here.",
        "took-too-long": "That took too long. Please try again.",
        "something-broke": "Something went wrong on our side. Please try again.",
    },
    "zh": {
        "not-found": "这里已经没有这张照片了，请重新发给机器人。",
        "unauthorized": "请从机器人的聊天里重新打开此页面。",
        "rate-limited": "操作太频繁了，请稍等片刻再试。",
        "too-large": "内容太大，无法在此发送。",
        "wrong-type": "这里不接受此类数据。",
        "bad-request": "无法理解这个请求。",
        "method-not-allowed": "这里不能这样操作。",
        "took-too-long": "用时太久了，请再试一次。",
        "something-broke": "我们这边出了点问题，请再试一次。",
    },
}

LANGUAGE = re.compile(r"\s*([A-Za-z]{2,3})(?:[-_][A-Za-z0-9_-]*)?\s*(?:;|$)")


def speaks(code: str) -> str | None:
    """The language of a code such as ``zh-hans``, if there are texts in it."""
    short = code.replace("_", "-").partition("-")[0].lower()
    return short if short in TEXTS else None


def accepted(header: str) -> str:
    """The first language of an Accept-Language header that there are texts in; English where there is none."""
    for part in header[:200].split(","):
        match = LANGUAGE.match(part)
        language = speaks(match[1]) if match else None
        if language is not None:
            return language
    return "en"


def text(language: str, code: str) -> str:
    """What to say; ``something-broke`` for a code that has no words here."""
    words = TEXTS[speaks(language) or "en"]
    return words.get(code, words["something-broke"])
