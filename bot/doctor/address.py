"""Checks of the public address: name, certificate, and whether a proxy leads page, data and webhook to this bot."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from bot.bounded_reading import BodyTooLargeError, read_bounded
from bot.chat.api.client import WEBHOOK_PATH
from bot.doctor.finding import Finding, fail, ok, warn
from bot.settings import Settings
from webapp.pages import Pages

SUBJECT = "public address"

SECONDS = 10
"""How long the address may take for a connection, and for each answer."""

MAX_BYTES = 2**20
"""More than the page has."""

DAYS_LEFT, SHARE_LEFT = 14.0, 1 / 3
"""A certificate with less time left is not renewed as it should be. The share is for those that live only days."""

_PAGE_FILES = re.compile(rb"app/static/([0-9a-f]{16})/main\.js")
"""What only this program's page has in it, with its version."""

_DAY = 86_400.0

_NOT_YET_VALID, _EXPIRED, _SELF_SIGNED, _SELF_SIGNED_IN_CHAIN, _WRONG_NAME, _WRONG_IP = 9, 10, 18, 19, 62, 64
"""OpenSSL's numbers of a certificate's faults (docs.openssl.org, X509_STORE_CTX_get_error)."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    location: str


async def public_address(settings: Settings) -> list[Finding]:
    """Whether people and Telegram reach this bot under PUBLIC_URL, seen from this machine.

    Certificates are checked against the system's authorities; SSL_CERT_FILE names others, as for every OpenSSL program.
    """
    url = settings.public_url
    if url is None:
        return [ok(SUBJECT, "no PUBLIC_URL: /erase works by painting in Telegram's own editor, not on a canvas")]
    context = ssl.create_default_context()
    left = await _certificate_days(url, context)
    if isinstance(left, Finding):
        return [left]
    days, is_short = left
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    sockets: list[socket.socket] = []

    def make_socket(address: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
        sockets.append(socket.socket(*address[:3]))
        return sockets[-1]

    connector = aiohttp.TCPConnector(ssl=context, socket_factory=make_socket)
    try:
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
            found = [await _page(session, settings, url)]
            if found[0].level == "ok":
                found = await _routes(session, settings, url) or found
    except (TimeoutError, aiohttp.ClientError, BodyTooLargeError) as error:
        text = "{url} takes connections, but gives no answer ({kind}); does the proxy lead to a running bot?"
        return [fail(SUBJECT, text, url=url, kind=type(error).__name__)]
    finally:
        for one in sockets:  # the end of TLS needs the other side's answer, and the doctor may end before it comes
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
    if is_short:
        text = (
            "the certificate of {host} ends in {days} days: renew it, as by `certbot renew`; where that should happen "
            "by itself, the log of the proxy says why it did not"
        )
        found.append(warn(SUBJECT, text, host=urlsplit(url).hostname, days=days))
    return found


async def _certificate_days(url: str, context: ssl.SSLContext) -> tuple[int, bool] | Finding:
    """Days that the certificate is still valid, and whether these are few; or what is wrong with the connection."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    where = {"url": url, "host": host, "port": port}
    try:
        async with asyncio.timeout(SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        return _certificate_fault(error, host)
    except ssl.SSLError:
        text = "{host}:{port} does not speak https: let the proxy end https there, or name its https port in PUBLIC_URL"
        return fail(SUBJECT, text, **where)
    except (socket.gaierror, UnicodeError):
        text = "the name {host} does not exist: make a DNS record that leads to this server, or correct PUBLIC_URL"
        return fail(SUBJECT, text, **where)
    except ConnectionRefusedError:
        text = "nothing listens on {host}:{port}: start the proxy that ends https, or correct PUBLIC_URL"
        return fail(SUBJECT, text, **where)
    except OSError:  # a timeout, too
        text = "{host}:{port} does not answer: open the port in the firewall, or correct the DNS record"
        return fail(SUBJECT, text, **where)
    certificate = writer.get_extra_info("peercert")
    writer.transport.abort()
    begins, ends = (ssl.cert_time_to_seconds(certificate[name]) for name in ("notBefore", "notAfter"))
    left = ends - time.time()
    return int(left / _DAY), left < min(DAYS_LEFT * _DAY, (ends - begins) * SHARE_LEFT)


def _certificate_fault(error: ssl.SSLCertVerificationError, host: str) -> Finding:
    code = error.verify_code
    if code == _EXPIRED:
        text = "the certificate of {host} has expired: renew it, as by `certbot renew`, and reload the proxy"
    elif code == _NOT_YET_VALID:
        text = "the certificate of {host} is not valid yet: set the clock, as by `timedatectl set-ntp true`"
    elif code in (_WRONG_NAME, _WRONG_IP):
        text = "the certificate is for another name than {host}: get one for {host}, as by `certbot -d {host}`"
    elif code in (_SELF_SIGNED, _SELF_SIGNED_IN_CHAIN):
        text = (
            "the certificate of {host} is not signed by an authority that phones trust: get one from a public "
            "authority, as by `certbot -d {host}`"
        )
    else:
        text = (
            "the certificate of {host} leads to no authority that is known here: let the proxy send the whole chain "
            "(certbot's fullchain.pem, not cert.pem), or get one from a public authority"
        )
    return fail(SUBJECT, text, host=host)


async def _page(session: aiohttp.ClientSession, settings: Settings, url: str) -> Finding:
    """Whether /app is this program's page, with its files."""
    answer = await _ask(session, "GET", f"{url}/app")
    values = {"url": url, "status": answer.status, "bot": f"{settings.host}:{settings.port}"}
    if answer.status in (502, 503, 504):
        text = "the proxy at {url} answers {status}: start the bot, or let the proxy lead to {bot}"
        return fail(SUBJECT, text, **values)
    if 300 <= answer.status < 400:
        text = "{url}/app leads elsewhere, to {where}: set PUBLIC_URL to the address without a redirect"
        return fail(SUBJECT, text, where=_without_query(answer.location), **values)
    found = _PAGE_FILES.search(answer.body)
    if answer.status != 200 or found is None:
        text = "{url}/app is not the page of this bot (status {status}): let the proxy lead /app and below to {bot}"
        return fail(SUBJECT, text, **values)
    version = found[1].decode()
    script = await _ask(session, "GET", f"{url}/app/static/{version}/main.js")
    if script.status != 200:
        text = "the page comes, its files do not: let the proxy lead /app and all below to {bot}"
        return fail(SUBJECT, text, **values)
    if version != Pages().version:
        text = (
            "{url} leads to another version of this bot than is installed here: start it again; if {bot} was meant, "
            "let the proxy lead there"
        )
        return warn(SUBJECT, text, **values)
    return ok(SUBJECT, "{url} leads to this bot's page, and its certificate is valid", **values)


async def _routes(session: aiohttp.ClientSession, settings: Settings, url: str) -> list[Finding]:
    """What is wrong with the other addresses that people's pages and Telegram need, and with those that they do not."""
    values = {"url": url, "bot": f"{settings.host}:{settings.port}"}
    found = []
    if (await _ask(session, "GET", f"{url}/api/edits/0")).status != 401:  # the page shows who it is; this does not
        text = "the page comes, its data does not: let the proxy lead /api and all below to {bot}"
        found.append(fail(SUBJECT, text, **values))
    is_webhook = settings.telegram_updates == "webhook"
    if (
        is_webhook and (await _ask(session, "POST", f"{url}{WEBHOOK_PATH}")).status != 403
    ):  # the bot's answer without the secret
        text = "the page comes, the webhook does not: let the proxy lead {path} to {bot}"
        found.append(fail(SUBJECT, text, path=WEBHOOK_PATH, **values))
    metrics = await _ask(session, "GET", f"{url}/metrics")
    if metrics.status == 200 and b"bot_" in metrics.body:
        text = (
            "everyone can read {url}/metrics: let the proxy lead only /app, /api and /telegram to the bot, or set "
            "METRICS_PORT, such as METRICS_PORT=9090"
        )
        found.append(warn(SUBJECT, text, **values))
    return found


async def _ask(session: aiohttp.ClientSession, method: str, address: str) -> _Answer:
    async with session.request(method, address, allow_redirects=False) as answer:
        body = await read_bounded(answer.content.iter_chunked(2**16), MAX_BYTES)
        return _Answer(answer.status, body, answer.headers.get("Location", ""))


def _without_query(location: str) -> str:
    return location.partition("?")[0][:200]
