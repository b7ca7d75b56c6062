"""How Telegram says no. The texts are the Bot API server's own: bots read them."""

from __future__ import annotations

from typing import Any


class RefusedError(Exception):
    """A request that Telegram answers with an error.

    Args:
        code: HTTP status and `error_code`.
        description: Telegram's words.
        parameters: Telegram's `parameters`, such as ``{"retry_after": 3}``.
    """

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def as_json(self) -> dict[str, Any]:
        """The answer's body."""
        body: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        if self.parameters:
            body["parameters"] = self.parameters
        return body


def bad(reason: str) -> RefusedError:
    """400."""
    return RefusedError(400, f"Bad Request: {reason}")


def too_many(retry_after: int) -> RefusedError:
    """429."""
    return RefusedError(429, f"Too Many Requests: retry after {retry_after}", retry_after=retry_after)


NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content "
    "and reply markup of the message"
)
