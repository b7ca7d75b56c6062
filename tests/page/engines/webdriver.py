"""A small client of the WebDriver protocol (https://www.w3.org/TR/webdriver2/), the one that all browsers speak."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from tests.support import free_port

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The name under which an answer refers to an element (WebDriver, section Elements)."""

START_TIMEOUT = 60.0
WAIT_TIMEOUT = 200.0
"""Seconds; generous, for busy machines."""

POLL = 0.03


class WebDriverError(Exception):
    """The browser refused a command; the text is its own."""


class WebDriver:
    """A browser's window.

    Args:
        http: A client session at the driver's address.
        session: The session's id.
    """

    def __init__(self, http: aiohttp.ClientSession, session: str) -> None:
        self._http = http
        self._session = session

    async def command(self, method: str, path: str, **body: Any) -> Any:
        """Send a command of the session.

        Raises:
            WebDriverError: The browser refused it.
        """
        return await send(self._http, method, f"/session/{self._session}/{path}", body)

    async def open(self, url: str) -> None:
        """Open an address in the window."""
        await self.command("POST", "url", url=url)

    async def evaluate(self, script: str, *arguments: Any) -> Any:
        """Run the body of a function in the current frame; a promise that it returns is awaited."""
        return await self.command("POST", "execute/sync", script=script, args=list(arguments))

    async def until(self, condition: str, *arguments: Any) -> Any:
        """Wait until an expression in the current frame is true; returns its value.

        Raises:
            TimeoutError: It was not true within `WAIT_TIMEOUT`.
        """
        deadline = time.monotonic() + WAIT_TIMEOUT
        while not (value := await self.evaluate(f"return ({condition})", *arguments)):
            if time.monotonic() > deadline:
                raise TimeoutError(condition)
            await asyncio.sleep(POLL)
        return value

    async def enter_frame(self, selector: str) -> None:
        """Make a frame of the page the current one."""
        await self.leave_frame()
        frame = await self.until("document.querySelector(arguments[0])", selector)
        await self.command("POST", "frame", id=frame)

    async def leave_frame(self) -> None:
        """Make the page itself the current frame."""
        await self.command("POST", "frame", id=None)

    async def click(self, selector: str) -> None:
        """Click an element of the current frame, as soon as it is enabled."""
        element = await self.until(
            "[document.querySelector(arguments[0])].find("
            "(one) => one && !one.matches(':disabled, [aria-disabled=true]') && one.checkVisibility())",
            selector,
        )
        await self.command("POST", f"element/{element[ELEMENT]}/click")

    async def perform(self, *sources: dict[str, Any]) -> None:
        """Perform the actions of pointers and keys."""
        await self.command("POST", "actions", actions=list(sources))

    async def screenshot(self) -> bytes:
        """The window as a PNG."""
        return base64.b64decode(await self.command("GET", "screenshot"))


async def send(http: aiohttp.ClientSession, method: str, path: str, body: dict[str, Any]) -> Any:
    """Send a command to a driver; returns the answer's value."""
    async with http.request(method, path, json=body if method == "POST" else None) as answer:
        value = (await answer.json(content_type=None))["value"]
        if answer.status != 200:
            raise WebDriverError(f"{path}: {value['error']}: {value['message']}")
        return value


def end_of(log: Path) -> str:
    """The last words of a log."""
    return log.read_text(errors="replace")[-2000:]


@contextlib.contextmanager
def program(
    command: Sequence[str], log: Path, environment: dict[str, str] | None = None, inherited: Sequence[int] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program, and end it and its children with the block.

    Args:
        command: The program and its arguments.
        log: The file to which its output is appended.
        environment: Variables in addition to this process's.
        inherited: File descriptors that it inherits.
    """
    with log.open("ab") as output:
        running = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            env={**os.environ, **(environment or {})},
            pass_fds=inherited,
            start_new_session=True,
        )
    try:
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGTERM)
        try:
            running.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()


@contextlib.asynccontextmanager
async def window(
    command: Sequence[str], capabilities: dict[str, Any], log: Path, environment: dict[str, str]
) -> AsyncIterator[WebDriver]:
    """Open a browser's window until the block ends.

    Args:
        command: The driver's program; its port is added.
        capabilities: What is asked of the browser (WebDriver, section Capabilities).
        log: The file to which the programs' output is appended.
        environment: Variables for the driver and the browser.
    """
    for again in (True, False):
        async with contextlib.AsyncExitStack() as stack:
            try:
                driver = await _begin(stack, command, capabilities, log, environment)
            except TimeoutError:
                if again:  # WebKit's browser has once not come up
                    continue
                raise
            yield driver
            return


async def _begin(
    stack: contextlib.AsyncExitStack,
    command: Sequence[str],
    capabilities: dict[str, Any],
    log: Path,
    environment: dict[str, str],
) -> WebDriver:
    """Start a driver and its browser, as in `window`; the stack ends both.

    Raises:
        TimeoutError: One of them was not ready within `START_TIMEOUT`.
    """
    port = free_port()
    # No name is resolved and no other host is reached.
    closed = "127.0.0.1:9"
    proxy = {"proxyType": "manual", "httpProxy": closed, "sslProxy": closed, "noProxy": ["127.0.0.1"]}
    wanted = {"proxy": proxy, "timeouts": {"script": int(WAIT_TIMEOUT * 1000)}, **capabilities}
    running = stack.enter_context(program([*command, f"--port={port}"], log, environment))
    timeout = aiohttp.ClientTimeout(total=2 * WAIT_TIMEOUT)
    http = await stack.enter_async_context(aiohttp.ClientSession(f"http://127.0.0.1:{port}", timeout=timeout))
    async with asyncio.timeout(START_TIMEOUT):
        await _answers(http, running, log)
        started = await send(http, "POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
    session = started["sessionId"]
    stack.push_async_callback(send, http, "DELETE", f"/session/{session}", {})
    return WebDriver(http, session)


async def _answers(http: aiohttp.ClientSession, running: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the driver answers.

    Raises:
        WebDriverError: The driver has ended.
    """
    while True:
        with contextlib.suppress(aiohttp.ClientConnectionError):
            await send(http, "GET", "/status", {})
            return
        if running.poll() is not None:
            raise WebDriverError(f"the driver ended: {end_of(log)}")
        await asyncio.sleep(POLL)
