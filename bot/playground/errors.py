"""The Bot API's errors. Their texts are the Bot API server's own, because bots compare them."""

from __future__ import annotations

from typing import Any


class BotApiError(Exception):
    """An error response of the Bot API.

    Args:
        code: HTTP status and `error_code`.
        description: Telegram's text.
        parameters: Telegram's `parameters`, such as ``{"retry_after": 3}``.
    """

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def as_json(self) -> dict[str, Any]:
        """The response's body."""
        body: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        if self.parameters:
            body["parameters"] = self.parameters
        return body


def bad_request(reason: str) -> BotApiError:
    """An error 400."""
    return BotApiError(400, f"Bad Request: {reason}")


def too_many_requests(retry_after: int) -> BotApiError:
    """An error 429."""
    return BotApiError(429, f"Too Many Requests: retry after {retry_after}", retry_after=retry_after)


NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content "
    "and reply markup of the message"
)
