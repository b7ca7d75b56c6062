"""Settings: defaults, ranges, and one clear line for a wrong one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.errors import OperatorError
from bot.settings import Settings
from bot.settings_file import example_env, load_settings
from bot.texts.operator_texts import translated
from tests.cli.words import is_chinese

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def message_of_wrong(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(OperatorError) as wrong:
        load_settings()
    return str(wrong.value.facts["text"])


def test_the_example_file_is_up_to_date() -> None:
    assert (ROOT / ".env.example").read_text() == example_env()


def test_the_example_file_contains_the_defaults(tmp_path: Path) -> None:
    lines = [line.removeprefix("# ") for line in example_env().splitlines() if "=" in line and line.startswith("# ")]
    assignments = [line for line in lines if line.split("=")[0].lower() in Settings.model_fields]
    assert len(assignments) == len(Settings.model_fields)
    (tmp_path / ".env").write_text("\n".join(assignments))
    assert load_settings() == Settings(_env_file=None)


def test_the_defaults_run_the_playground_on_the_local_engine() -> None:
    settings = load_settings()
    assert settings.telegram_bot_token is None
    assert not settings.uses_cloud
    assert settings.database == "sqlite:///data/bot.sqlite"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PORT", "99999", "PORT: input should be less than or equal to 65535; for example PORT=8080"),
        ("PORT", "http", "PORT: input should be a valid integer"),
        ("ADMINS", "me", "ADMINS: must be comma-separated numbers; for example ADMINS=12345678"),
        ("PUBLIC_URL", "http://example.org", "PUBLIC_URL: must be an https address"),
        ("ENGINE", "cloud", "ENGINE: input should be 'auto', 'volcengine' or 'local'"),
        ("TELEGRAM_BOT_TOKEN", "hello", "TELEGRAM_BOT_TOKEN: is not a bot token"),
        ("TELEGRAM_WEBHOOK_SECRET", "a b", "TELEGRAM_WEBHOOK_SECRET: must be 1–256"),
        ("TELEGRAM_UPDATES", "webhook", "TELEGRAM_UPDATES: webhook needs PUBLIC_URL"),
        ("VOLC_ACCESSKEY", "AKLT1", "VOLC_ACCESSKEY: needs VOLC_SECRETKEY"),
        ("MODELS_MIRROR", "files.example.org", "MODELS_MIRROR: must be an address without a password"),
        (
            "MODELS_MIRROR",
            "https://me:secret@files.example.org",
            "MODELS_MIRROR: must be an address without a password",
        ),
        ("MODELS_MIRROR", "ftp://files.example.org/m", "MODELS_MIRROR: must be an https address"),
        ("MODELS_MIRROR", "http://files.example.org/m", "MODELS_MIRROR: must be an https address"),
        ("DATABASE_URL", "mysql://x", "DATABASE_URL: must start with postgresql://"),
        ("RETENTION_HOURS", "0", "RETENTION_HOURS: input should be greater than or equal to 1"),
        (
            "STARS_PACKS",
            "ten",
            "STARS_PACKS: must be comma-separated packs, each edits:Stars; for example STARS_PACKS=10:25",
        ),
        ("STARS_PACKS", "10:0", "STARS_PACKS: edits must be 1–10000 and Stars 1–10000"),
        ("STARS_PACKS", "10001:1", "STARS_PACKS: edits must be 1–10000 and Stars 1–10000"),
        ("STARS_PACKS", "1:1,2:2,3:3,4:4,5:5,6:6", "STARS_PACKS: must be at most 5 packs"),
        ("STARS_PACKS", "1:1,1:1", "STARS_PACKS: must not name a pack twice"),
        ("STARS_PACKS", "10:25", "STARS_PACKS: needs EDITS_PER_DAY"),
        ("LANGUAGE", "de", "LANGUAGE: input should be 'en' or 'zh'"),
    ],
)
def test_a_wrong_setting_is_named_with_an_example(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    text = message_of_wrong(monkeypatch, **{name: value})
    assert text.startswith(expected)
    assert "\n" not in text


WRONG = [
    {"PORT": "99999"},
    {"PORT": "http"},
    {"PORT": "8080.5"},
    {"PORT": "9" * 5000},
    {"RETENTION_HOURS": "0"},
    {"RETENTION_HOURS": "nan"},
    {"RETENTION_HOURS": "a day"},
    {"DATA_MAX_MB": "1"},
    {"ENGINE_FALLBACK": "perhaps"},
    {"ENGINE": "cloud"},
    {"LANGUAGE": "de"},
    {"LOG_LEVEL": "loud"},
    {"VOLC_QUALITY": "XL"},
    {"ADMINS": "me"},
    {"TRUSTED_PROXIES": "proxy"},
    {"TELEGRAM_BOT_TOKEN": "hello"},
    {"TELEGRAM_WEBHOOK_SECRET": "a b"},
    {"TELEGRAM_API_URL": "telegram"},
    {"TELEGRAM_PROXY": "127.0.0.1"},
    {"TELEGRAM_UPDATES": "webhook"},
    {"PUBLIC_URL": "http://example.org"},
    {"MODELS_MIRROR": "files.example.org"},
    {"MODELS_MIRROR": "http://files.example.org"},
    {"DATABASE_URL": "mysql://x"},
    {"DATABASE_URL": "sqlite:///:memory:"},
    {"ENGINE": "volcengine"},
    {"STARS_PACKS": "ten"},
    {"STARS_PACKS": "10:0"},
    {"STARS_PACKS": "1:1,2:2,3:3,4:4,5:5,6:6"},
    {"STARS_PACKS": "1:1,1:1"},
    {"STARS_PACKS": "10:25"},
    {"STARS_PACKS": "10:25", "EDITS_PER_DAY": "3"},
]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: " ".join(f"{n}={v[:12]}" for n, v in wrong.items()))
def test_the_printed_example_mends_the_setting(
    monkeypatch: pytest.MonkeyPatch, wrong: dict[str, str], language: str
) -> None:
    """Each line is followed until there is none: further settings may be missing."""
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    for _ in range(4):
        try:
            load_settings()
            break
        except OperatorError as error:
            line = translated(error.facts["text"], language)
        assert is_chinese(line) == (language == "zh"), line
        name, value = re.findall(r"([A-Z][A-Z_]+)=([^\s；，;]+)", line)[-1]
        monkeypatch.setenv(name, value)
    else:
        pytest.fail(line)


def test_one_key_of_two_names_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    line = message_of_wrong(monkeypatch, VOLC_SECRETKEY="verysecret")
    assert line.startswith("VOLC_SECRETKEY: needs VOLC_ACCESSKEY, too")
    assert "verysecret" not in line


@pytest.mark.parametrize(
    ("value", "language"), [("zh_CN:en", "zh"), ("en_GB.UTF-8", "en"), ("de_DE:zh_CN", "zh"), ("fr_FR:fr", "en")]
)
def test_a_desktops_list_of_languages_is_read(monkeypatch: pytest.MonkeyPatch, value: str, language: str) -> None:
    monkeypatch.setenv("LANGUAGE", value)
    assert load_settings().language == language


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TELEGRAM_BOT_TOKEN", "12:Secr3t"),
        ("TELEGRAM_WEBHOOK_SECRET", "Secr3t !"),
        ("TELEGRAM_PROXY", "me:Secr3t@proxy"),
        ("DATABASE_URL", "mysql://me:Secr3t@db/bot"),
        ("ENGINE", "Secr3t"),
        ("PORT", "Secr3t"),
        ("RETENTION_HOURS", "Secr3t"),
        ("ENGINE_FALLBACK", "Secr3t"),
    ],
)
def test_a_wrong_value_is_not_repeated(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """It may be a secret that was written behind the wrong name."""
    line = message_of_wrong(monkeypatch, **{name: value})
    assert "Secr3t" not in line
    assert "Secr3t" not in translated(line, "zh")


@pytest.mark.parametrize(
    "address",
    [
        "https://files.example.org/m",
        "http://localhost:8000",
        "http://192.168.1.4/m",
        "http://[::1]:8000",
        "http://mirror/m",
    ],
)
def test_a_mirror_may_use_http_only_in_private_networks(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("MODELS_MIRROR", f"{address}/")
    assert load_settings().models_mirror == address


def test_user_ids_are_read_with_or_without_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_USERS", "12, 34,56,")
    assert load_settings().allowed_users == {12, 34, 56}


def test_packs_need_free_edits_and_somebody_who_refunds(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = message_of_wrong(monkeypatch, STARS_PACKS="10:25, 50:100", EDITS_PER_DAY="3", ADMINS="-100")
    assert wrong.startswith("STARS_PACKS: needs ADMINS")
    monkeypatch.setenv("ADMINS", "-100,12")
    assert load_settings().stars_packs == ((10, 25), (50, 100))


def test_cloud_keys_enable_the_cloud_unless_the_engine_is_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOLC_ACCESSKEY", "AKLT1")
    monkeypatch.setenv("VOLC_SECRETKEY", "secret")
    assert load_settings().uses_cloud
    monkeypatch.setenv("ENGINE", "local")
    assert not load_settings().uses_cloud


def test_a_postgres_address_gets_its_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://bot:secret@db/bot")
    assert load_settings().database == "postgresql+psycopg://bot:secret@db/bot"


def test_printed_settings_show_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOLC_ACCESSKEY", "AKLTxyz")
    monkeypatch.setenv("VOLC_SECRETKEY", "verysecret")
    monkeypatch.setenv("DATABASE_URL", "postgres://bot:hunter2@db/bot")
    printed = repr(load_settings())
    assert not any(secret in printed for secret in ("AKLTxyz", "verysecret", "hunter2"))


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("TELEGRAM_TOKEN", "TELEGRAM_BOT_TOKEN"),
        ("VOLC_ACCESS_KEY", "VOLC_ACCESSKEY"),
        ("EDITS_PER_DAYS", "EDITS_PER_DAY"),
        ("MODELS_MIROR", "MODELS_MIRROR"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_right_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, nearest: str
) -> None:
    wrong = message_of_wrong(monkeypatch, **{name: "secret"})
    assert wrong == f"{name}: there is no such setting; did you mean {nearest}?"
    monkeypatch.delenv(name)
    (tmp_path / ".env").write_text(f"{name}=secret\n")
    assert message_of_wrong(monkeypatch) == wrong


def test_an_unknown_name_in_the_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# a comment\nPHOTO_STYLE=x\n")
    assert "PHOTO_STYLE: there is no such setting; .env.example lists all" in message_of_wrong(monkeypatch)


def test_names_of_other_programs_are_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("POSTGRES_PASSWORD=x\nCOMPOSE_PROJECT_NAME=bot\nport=8081\n")
    monkeypatch.setenv("MAX_WORKERS_OF_ANOTHER_PROGRAM", "3")
    assert load_settings().port == 8081
