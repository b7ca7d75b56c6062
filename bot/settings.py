"""Every setting once: its default, its range, one sentence.

Values come from the environment, else from `.env` in the working directory. Only the command line (`cli` and the
modules of its commands) and the wiring read settings, checked by a contract in pyproject.toml. All others get values.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot import cloud_parameters
from bot.cloud_parameters import Range
from bot.operator_text import OperatorText
from bot.setting_types import (
    Address,
    BotToken,
    DatabaseAddress,
    HttpsAddress,
    Language,
    MirrorAddress,
    Networks,
    Packs,
    ProxyAddress,
    SentryAddress,
    UpperCase,
    UserIds,
    WebhookSecret,
)


def _setting(default: Any, group: str, meaning: str, *, example: str, **limits: Any) -> Any:
    """One setting: its default, its heading in `.env.example`, one sentence, and an example for error messages."""
    return Field(default=default, description=meaning, examples=[example], json_schema_extra={"group": group}, **limits)


def _number(parameter: Range, group: str, meaning: str, *, example: str) -> Any:
    """A setting with the default and the limits of one of the cloud's parameters."""
    return _setting(parameter.default, group, meaning, example=example, ge=parameter.least, le=parameter.most)


class Settings(BaseSettings):
    """All settings. The names are those of the environment variables, in lower case."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
    )

    telegram_bot_token: BotToken | None = _setting(
        None,
        "Telegram",
        "The bot's token from @BotFather; none: the playground runs instead of Telegram.",
        example="123456:ABC-DEF1234ghIkl",
    )
    telegram_api_url: Address = _setting(
        "https://api.telegram.org",
        "Telegram",
        "The Bot API server; a self-hosted one with --local hands out files over 20 MB (docs/deployment.md).",
        example="https://api.telegram.org",
    )
    telegram_proxy: ProxyAddress | None = _setting(
        None,
        "Telegram",
        "Proxy for everything sent to Telegram: http, https or socks5, with user:password@ if it asks for them.",
        example="socks5://127.0.0.1:1080",
    )
    telegram_updates: Literal["polling", "webhook"] = _setting(
        "polling",
        "Telegram",
        "How the bot receives updates: polling, or webhook (needs PUBLIC_URL).",
        example="polling",
    )
    telegram_webhook_secret: WebhookSecret | None = _setting(
        None,
        "Telegram",
        "Secret that Telegram sends to the webhook: 1–256 of A–Z a–z 0–9 _ -; none: derived from the token.",
        example="a-long-random-word",
    )
    public_url: HttpsAddress | None = _setting(
        None,
        "Web",
        "The https address of this server for people; none: no Mini App, /erase explains how to paint without it.",
        example="https://photos.example.org",
    )
    host: str = _setting("127.0.0.1", "Web", "The address that the web server listens on.", example="127.0.0.1")
    port: int = _setting(8080, "Web", "The port that the web server listens on.", example="8080", ge=1, le=65535)
    metrics_port: int | None = _setting(
        None,
        "Web",
        "A port on HOST for /metrics of bot or worker, with /healthz and /readyz; none: the bot has /metrics on PORT.",
        example="9090",
        ge=1,
        le=65535,
    )
    init_data_hours: float = _setting(
        24, "Web", "Hours for which Telegram's initData of a person opens the Mini App.", example="24", ge=1, le=168
    )

    trusted_proxies: Networks = _setting(
        frozenset(),
        "Web",
        "Addresses or networks of reverse proxies, comma-separated: only their X-Forwarded-For is believed.",
        example="127.0.0.1,10.0.0.0/8",
    )

    engine: Literal["auto", "volcengine", "local"] = _setting(
        "auto",
        "Engine",
        "The engine: auto (Volcengine if its keys are set, else local), volcengine, local.",
        example="auto",
    )
    engine_fallback: bool = _setting(
        True,
        "Engine",
        "With ENGINE=auto: while the cloud is down, the local engine does the work and the answer says so.",
        example="true",
    )
    volc_accesskey: SecretStr | None = _setting(
        None, "Engine", "Volcengine access key (the SDK's own name).", example="AKLT…"
    )
    volc_secretkey: SecretStr | None = _setting(None, "Engine", "Volcengine secret key.", example="U0tl…")
    volc_session_token: SecretStr | None = _setting(
        None, "Engine", "Volcengine session token of temporary (STS) keys.", example="STS2…"
    )
    volc_endpoint: Address = _setting(
        cloud_parameters.DEFAULT_ENDPOINT,
        "Engine",
        "Address of Volcengine's visual API.",
        example=cloud_parameters.DEFAULT_ENDPOINT,
    )
    volc_proxy: ProxyAddress | None = _setting(
        None, "Engine", "Proxy for everything sent to Volcengine, as TELEGRAM_PROXY.", example="http://127.0.0.1:3128"
    )
    volc_region: str = _setting(
        cloud_parameters.DEFAULT_REGION,
        "Engine",
        "The region in the signature of requests.",
        example=cloud_parameters.DEFAULT_REGION,
    )
    volc_inpaint: cloud_parameters.Ability = _setting(
        cloud_parameters.DEFAULT_ABILITY,
        "Engine",
        "The erase ability: i2i_inpainting or jimeng_image2image_dream_inpaint.",
        example=cloud_parameters.DEFAULT_ABILITY,
    )
    volc_concurrency: int = _setting(
        1, "Engine", "Calls to Volcengine at a time, over all processes.", example="1", ge=1, le=1000
    )
    volc_steps: int = _number(
        cloud_parameters.STEPS, "Engine", "Sampling steps of i2i_inpainting; more is slower.", example="30"
    )
    volc_strength: float = _number(
        cloud_parameters.STRENGTH, "Engine", "How far i2i_inpainting may deviate from the photo.", example="0.8"
    )
    volc_scale: float = _number(cloud_parameters.SCALE, "Engine", "Guidance scale of i2i_inpainting.", example="7")
    volc_dilate_size: int = _number(
        cloud_parameters.DILATE_SIZE, "Engine", "Pixels by which i2i_inpainting dilates the mask.", example="15"
    )
    volc_quality: cloud_parameters.Quality = _setting(
        cloud_parameters.DEFAULT_QUALITY,
        "Engine",
        "Quality of i2i_inpainting: H (best, slower), M, L (fastest).",
        example="M",
    )
    volc_price_per_call: float = _setting(
        0,
        "Engine",
        "What a successful call to Volcengine costs by your bill, for the estimate in /stats; 0: not shown.",
        example="0.05",
        ge=0,
        le=1000,
    )
    models: Literal["auto", "off"] = _setting(
        "auto",
        "Engine",
        "Model files: auto (download what set-up did not bring, in the background), off (use only what is there).",
        example="auto",
    )
    models_mirror: MirrorAddress | None = _setting(
        None,
        "Engine",
        "An address to try before the model files' own hosts, such as <address>/u2netp.onnx.",
        example="https://files.example.org/models",
    )

    database_url: DatabaseAddress | None = _setting(
        None,
        "Storage",
        "The database; none: a SQLite file in DATA_DIR. Several machines need PostgreSQL.",
        example="postgresql://bot:secret@localhost/bot",
    )
    data_dir: Path = _setting(
        Path("data"), "Storage", "Folder for the SQLite database, caches and models.", example="data"
    )
    data_max_mb: int = _setting(
        5000,
        "Storage",
        "Megabytes that DATA_DIR may take without the models; at the bound no new photos are accepted.",
        example="5000",
        ge=200,
    )
    retention_hours: float = _setting(
        24, "Storage", "Hours that cached photos, masks and edits are kept.", example="24", ge=1, le=8760
    )

    workers: int = _setting(
        max(1, os.cpu_count() or 1),
        "Limits",
        "Edits at a time in this process; none: one for each processor core.",
        example="2",
        ge=1,
        le=256,
    )
    memory_mb: int = _setting(
        0,
        "Limits",
        "Megabytes of memory that this process and its pixel processes may use; 0: all of the machine or container.",
        example="4000",
        ge=0,
    )
    max_megapixels: float = _setting(
        50, "Limits", "Photos with more megapixels are refused before decoding.", example="50", ge=1, le=500
    )
    max_file_mb: float = _setting(20, "Limits", "Larger files are refused; megabytes.", example="20", ge=1, le=2000)
    edits_per_day: int = _setting(0, "Limits", "Edits a person may start in 24 hours; 0: no limit.", example="50", ge=0)
    pending_per_user: int = _setting(
        30,
        "Limits",
        "Unfinished edits that a person may have at a time; one of them runs, the others wait.",
        example="30",
        ge=1,
        le=1000,
    )
    stars_packs: Packs = _setting(
        (),
        "Limits",
        "Packs of further edits for Telegram Stars, as edits:Stars, comma-separated; none: nothing is sold.",
        example="10:25,50:100",
    )
    allowed_users: UserIds = _setting(
        frozenset(), "People", "Telegram user ids that may use the bot; none: all.", example="12345678,23456789"
    )
    admins: UserIds = _setting(
        frozenset(),
        "People",
        "Telegram user ids of the operators: notified of problems; may use /stats, /announce, /ban, /unban, /refund.",
        example="12345678",
    )
    language: Language = _setting(
        "en",
        "People",
        "Language for people whose own the bot does not speak, and of the command line: en or zh.",
        example="en",
    )

    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], UpperCase] = _setting(
        "INFO", "Logs", "Log level: DEBUG, INFO, WARNING, ERROR.", example="INFO"
    )
    log_format: Literal["console", "json"] = _setting(
        "console", "Logs", "Log format: console for people, json for machines.", example="console"
    )
    sentry_dsn: SentryAddress | None = _setting(
        None,
        "Logs",
        "DSN of a Sentry project: it gets the log's errors, without secrets and photos; none: nothing is sent.",
        example="https://0123456789abcdef@sentry.example.org/1",
    )

    @model_validator(mode="after")
    def _together(self) -> Settings:
        if self.telegram_updates == "webhook" and not self.public_url:
            raise ValueError(
                OperatorText(
                    "TELEGRAM_UPDATES: webhook needs PUBLIC_URL, such as PUBLIC_URL=https://photos.example.org; "
                    "without an address TELEGRAM_UPDATES=polling"
                )
            )
        if bool(self.volc_accesskey) != bool(self.volc_secretkey):
            there, missing = "VOLC_ACCESSKEY", "VOLC_SECRETKEY"
            if self.volc_secretkey:
                there, missing = missing, there
            raise ValueError(
                OperatorText(
                    "{there}: needs {missing}, too; the Volcengine console shows both under API access keys",
                    there=there,
                    missing=missing,
                )
            )
        if self.engine == "volcengine" and not self.volc_accesskey:
            raise ValueError(
                OperatorText(
                    "ENGINE: volcengine needs VOLC_ACCESSKEY and VOLC_SECRETKEY, such as ENGINE=auto without them"
                )
            )
        if self.stars_packs and not self.edits_per_day:
            raise ValueError(
                OperatorText(
                    "STARS_PACKS: needs EDITS_PER_DAY, the free edits of a day, such as EDITS_PER_DAY=10",
                )
            )
        if self.stars_packs and not any(admin > 0 for admin in self.admins):
            raise ValueError(
                OperatorText(
                    "STARS_PACKS: needs ADMINS, who get /paysupport and make refunds, such as ADMINS=12345678",
                )
            )
        return self

    @property
    def uses_cloud(self) -> bool:
        """Whether Volcengine is the first engine."""
        return self.engine != "local" and self.volc_accesskey is not None

    @property
    def telegram_proxy_address(self) -> str | None:
        """TELEGRAM_PROXY in clear."""
        return self.telegram_proxy.get_secret_value() if self.telegram_proxy is not None else None

    @property
    def database(self) -> str:
        """The database's URL for SQLAlchemy, with the driver."""
        if self.database_url is None:
            return f"sqlite:///{self.data_dir / 'bot.sqlite'}"
        return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", self.database_url.get_secret_value())

    @property
    def models_folder(self) -> Path:
        """The folder that model files are read from."""
        return self.data_dir / "models"
