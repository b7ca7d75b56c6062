"""Checks of the engines: the cloud's keys by the smallest real calls, and the learned models of this machine."""

from __future__ import annotations

from bot import engine_wiring
from bot.doctor.finding import Finding, ok
from bot.engines.volcengine import probe
from bot.model_files import missing_segmenter, usable
from bot.settings import Settings


async def cloud(settings: Settings) -> list[Finding]:
    """One small call of each ability of the cloud; they are billed as any other.

    Raises:
        OperatorError: A setting of the cloud is wrong.
    """
    if settings.engine == "local":
        return [ok("cloud engine", "not used (ENGINE=local): the local engine does the work")]
    if not settings.uses_cloud:
        return [ok("cloud engine", "not used (no VOLC_ACCESSKEY and VOLC_SECRETKEY): the local engine does the work")]
    results = await probe(engine_wiring.volc_config(settings))
    return [Finding("cloud engine", "ok" if result.ok else "fail", result.text) for result in results]


async def local(settings: Settings) -> list[Finding]:
    """The learned models. Without any the local engine works, less well."""
    missing = missing_segmenter(settings)
    if missing is not None:
        return [Finding("local engine", "warn", missing)]
    return [ok("local engine", "works, with the learned models {names}", names=", ".join(usable(settings)))]
