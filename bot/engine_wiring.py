"""Builds the pixel processes and the engines from the settings: what an edit on the command line needs.

It imports little, because `python -m bot edit` starts with it. The cloud engine is imported only when it is used.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import math
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import structlog

from bot.data_dir import unwritable
from bot.imaging.memory import MB_PER_MEGAPIXEL, OWN_MB, MemoryPlan, memory_of_this_machine, plan_memory
from bot.imaging.pool import PixelPool
from bot.operator_text import OperatorText
from bot.preload import PRELOAD

if TYPE_CHECKING:
    from bot.engines import Engine
    from bot.engines.volcengine import CallSlots, VolcConfig
    from bot.engines.volcengine.call_slots import OnPosition
    from bot.engines.volcengine.notices import OnOperatorError
    from bot.engines.volcengine.transport import OnCall
    from bot.settings import Settings

log = structlog.get_logger()


def secrets_in(settings: Settings) -> list[str]:
    """The values that must never be logged."""
    fields = (
        settings.telegram_bot_token,
        settings.telegram_webhook_secret,
        settings.volc_accesskey,
        settings.volc_secretkey,
        settings.volc_session_token,
        settings.database_url,
        settings.telegram_proxy,
        settings.volc_proxy,
        settings.sentry_dsn,
    )
    values = [field.get_secret_value() for field in fields if field is not None]
    passwords = []
    for address in (value for value in values if "://" in value):
        with contextlib.suppress(ValueError):  # an address that cannot be read is reported where it is opened
            password = urlsplit(address).password or ""
            passwords += [password, unquote(password)]
    if settings.telegram_bot_token is not None:
        values.append(webhook_secret(settings, settings.telegram_bot_token.get_secret_value()))
    return [*values, *filter(None, passwords)]


def webhook_secret(settings: Settings, token: str) -> str:
    """The secret token of the webhook: TELEGRAM_WEBHOOK_SECRET, else derived from the bot's token."""
    if settings.telegram_webhook_secret is not None:
        return settings.telegram_webhook_secret.get_secret_value()
    return hmac.new(token.encode(), b"webhook", hashlib.sha256).hexdigest()


def volc_config(settings: Settings) -> VolcConfig:
    """The settings of the cloud engine."""
    from bot.engines.volcengine import VolcConfig

    assert settings.volc_accesskey is not None
    assert settings.volc_secretkey is not None
    return VolcConfig(
        access_key=settings.volc_accesskey.get_secret_value(),
        secret_key=settings.volc_secretkey.get_secret_value(),
        session_token=settings.volc_session_token.get_secret_value() if settings.volc_session_token else "",
        endpoint=settings.volc_endpoint,
        proxy=settings.volc_proxy.get_secret_value() if settings.volc_proxy is not None else None,
        region=settings.volc_region,
        inpaint=settings.volc_inpaint,
        steps=settings.volc_steps,
        strength=settings.volc_strength,
        scale=settings.volc_scale,
        dilate_size=settings.volc_dilate_size,
        quality=settings.volc_quality,
    )


@contextlib.asynccontextmanager
async def pixel_pool(settings: Settings, workers: int) -> AsyncIterator[PixelPool]:
    """The pool of `workers` processes that work on pixels, or of fewer where memory is short.

    Raises:
        OperatorError: Its scratch folder cannot be made in DATA_DIR.
    """
    plan = memory_plan(settings, workers)
    scratch = settings.data_dir / "scratch"
    pool = PixelPool(workers=plan.processes, memory_mb=plan.process_mb, scratch=scratch, preload=PRELOAD)
    try:
        try:
            await pool.start()
        except OSError as error:
            raise unwritable(settings.data_dir, error) from None
        yield pool
    finally:
        await pool.close()


def log_memory_plan(settings: Settings) -> None:
    """Log how the memory is divided; a warning if it is too short for what the settings ask for."""
    plan = memory_plan(settings, settings.workers)
    values = {"processes": plan.processes, "process_mb": plan.process_mb, "memory_mb": plan.total_mb}
    advice = memory_advice(plan, settings)
    if advice is None:
        log.info("memory", **values)
    else:
        log.warning("memory_short", **values, advice=advice)


def memory_advice(plan: MemoryPlan, settings: Settings) -> OperatorText | None:
    """What an operator can do if the memory is too short for WORKERS and MAX_MEGAPIXELS; None if it is not."""
    if plan.megapixels < settings.max_megapixels:
        small = math.floor(plan.megapixels)
        return OperatorText(
            "photos over {small} megapixels may be refused; add memory, or set MAX_MEGAPIXELS={small}", small=small
        )
    if plan.processes < settings.workers:
        least = OWN_MB + settings.workers * round(settings.max_megapixels * MB_PER_MEGAPIXEL)
        return OperatorText(
            "{processes} of WORKERS={workers} photos are worked on at a time; {least} MB of memory, or "
            "a smaller MAX_MEGAPIXELS, allow all; WORKERS={processes} says what this machine can do",
            processes=plan.processes,
            workers=settings.workers,
            least=least,
        )
    return None


def memory_plan(settings: Settings, workers: int) -> MemoryPlan:
    """How the memory is divided among `workers` pixel processes."""
    return plan_memory(workers, settings.max_megapixels, settings.memory_mb or memory_of_this_machine())


@contextlib.asynccontextmanager
async def engines(
    settings: Settings,
    pool: PixelPool,
    call_slots: CallSlots | None = None,
    on_operator_error: OnOperatorError | None = None,
    on_position: OnPosition | None = None,
    on_call: OnCall | None = None,
) -> AsyncIterator[Sequence[Engine]]:
    """The engines, each the fallback of the one before.

    Args:
        settings: All settings.
        pool: Runs pixel work.
        call_slots: Limits concurrent calls to the cloud; None: a limit within this process.
        on_operator_error: Called with errors that only the operator can fix.
        on_position: Called with an edit's position among those that wait for the cloud.
        on_call: Called after each call of the cloud, with its ability and whether it succeeded.
    """
    from bot.engines.local import local_engine

    local = local_engine(pool, models=settings.models_folder)
    if not settings.uses_cloud:
        yield [local]
        return
    from bot.engines.volcengine import LocalCallSlots, volcengine_engine

    async with volcengine_engine(
        volc_config(settings),
        pool=pool,
        call_slots=call_slots or LocalCallSlots(settings.volc_concurrency),
        on_operator_error=on_operator_error,
        on_position=on_position,
        on_call=on_call,
    ) as cloud:
        falls_back = settings.engine == "auto" and settings.engine_fallback
        yield [cloud, local] if falls_back else [cloud]
