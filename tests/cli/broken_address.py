"""Set-ups that are broken at the cloud's key and at the public address: certificate, proxy, port, metrics."""

from __future__ import annotations

import asyncio
import re

from tests.cli.https import Authority
from tests.cli.mistakes import Settings
from tests.cli.place import Broken, Make, Place, start_the_bot
from tests.support import free_port


async def wrong_cloud_key(place: Place) -> Settings:
    keys = place.cloud.keys
    cloud = {"ENGINE": "auto", "VOLC_ENDPOINT": place.cloud.url, "VOLC_SECRETKEY": keys.secret_key}
    return place.world.with_token(VOLC_ACCESSKEY=f"{keys.access_key}x", VOLC_SESSION_TOKEN=keys.session_token, **cloud)


async def set_the_keys(place: Place, settings: Settings, line: str) -> Settings:
    return settings | {"VOLC_ACCESSKEY": place.cloud.keys.access_key}


def with_certificate(name: str = "localhost", *, days: float = 60) -> Make:
    async def make(place: Place) -> Settings:
        place.proxy.context = await asyncio.to_thread(place.authority.certify, name, days=days)
        settings = place.public()
        await start_the_bot(place, settings, "")
        return settings

    return make


async def renew(place: Place, settings: Settings, line: str) -> Settings:
    place.proxy.context = await asyncio.to_thread(place.authority.certify)
    return settings


async def unknown_authority(place: Place) -> Settings:
    folder = place.folder.parent / "other"
    folder.mkdir()
    place.proxy.context = (await asyncio.to_thread(Authority, folder, "Unknown")).certify()
    settings = place.public()
    await start_the_bot(place, settings, "")
    return settings


async def bot_that_does_not_run(place: Place) -> Settings:
    return place.public()


async def proxy_to_another_server(place: Place) -> Settings:
    settings = place.public()
    await start_the_bot(place, settings, "")
    place.proxy.target = int(place.world.page.rpartition(":")[2])
    return settings


async def lead_there(place: Place, settings: Settings, line: str) -> Settings:
    """Lead the proxy to the HOST:PORT of the line."""
    place.proxy.target = int(re.findall(r"127\.0\.0\.1:(\d+)", line)[-1])
    return settings


async def no_https(place: Place) -> Settings:
    return place.public() | {"PUBLIC_URL": place.world.page.replace("http://127.0.0.1", "https://localhost")}


async def name_the_https_port(place: Place, settings: Settings, line: str) -> Settings:
    await start_the_bot(place, settings | {"PUBLIC_URL": place.proxy.url}, line)
    return settings | {"PUBLIC_URL": place.proxy.url}


async def metrics_for_everyone(place: Place) -> Settings:
    settings = place.public()
    del settings["METRICS_PORT"]
    return await start_the_bot(place, settings, "")


async def set_metrics_port(place: Place, settings: Settings, line: str) -> Settings:
    assert "METRICS_PORT=9090" in line  # which may be in use on this machine
    return await start_the_bot(place, settings | {"METRICS_PORT": str(free_port())}, line)


CLOUD_AND_ADDRESS = {
    "a cloud key that is not valid": Broken(
        wrong_cloud_key, "cloud engine", "fail", ("100009", "VOLC_ACCESSKEY"), set_the_keys
    ),
    "an expired certificate": Broken(
        with_certificate(days=-1), "public address", "fail", ("localhost", "certbot renew"), renew
    ),
    "a certificate that ends soon": Broken(
        with_certificate(days=5.5), "public address", "warn", ("localhost", " 5 ", "certbot renew"), renew
    ),
    "a certificate for another name": Broken(
        with_certificate("other.example"), "public address", "fail", ("certbot -d localhost",), renew
    ),
    "a certificate of an unknown authority": Broken(
        unknown_authority, "public address", "fail", ("fullchain.pem",), renew
    ),
    "a proxy whose bot does not run": Broken(
        bot_that_does_not_run, "public address", "fail", ("502", "127.0.0.1:"), start_the_bot
    ),
    "a proxy that leads elsewhere": Broken(
        proxy_to_another_server, "public address", "fail", ("/app", "404", "127.0.0.1:"), lead_there
    ),
    "metrics for everyone": Broken(
        metrics_for_everyone, "public address", "warn", ("/metrics", "METRICS_PORT"), set_metrics_port
    ),
    "a port without https": Broken(no_https, "public address", "fail", ("PUBLIC_URL",), name_the_https_port),
}
"""The set-ups by their names."""
