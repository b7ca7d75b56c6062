"""Sends an aiohttp session's requests through a proxy: http, https or socks5."""

from __future__ import annotations

from typing import Any

import aiohttp
from python_socks import ProxyError

CONNECTION_ERRORS = (aiohttp.ClientError, OSError, ProxyError)
"""What a request can raise whose connection failed, directly or through a proxy."""


def session_options(proxy: str | None, **connector_options: Any) -> dict[str, Any]:
    """The options of an `aiohttp.ClientSession` whose requests go through `proxy`.

    Call it in the running event loop. With socks5 the proxy resolves the host names, as clients behind a filtered DNS
    need it.

    Args:
        proxy: ``http://``, ``https://`` or ``socks5://``, with ``user:password@`` if the proxy asks for them; None:
            requests go out directly.
        connector_options: As `aiohttp.TCPConnector` takes them.
    """
    if proxy is not None and proxy.startswith("socks5"):
        from aiohttp_socks import ProxyConnector

        return {"connector": ProxyConnector.from_url(proxy, rdns=True, **connector_options)}
    return {"connector": aiohttp.TCPConnector(**connector_options), "proxy": proxy}
