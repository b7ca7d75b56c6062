"""The container's files: images are pinned, passwords have no default, and every container of ours is locked down."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot import stopping

ROOT = Path(__file__).resolve().parents[3]
COMPOSE = ("compose.yaml", "compose.workers.yaml")


def services(file: str) -> dict[str, dict[str, Any]]:
    """The services of a compose file, by name."""
    found: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / file).read_text())["services"]
    return found


def ours(file: str) -> dict[str, dict[str, Any]]:
    """The services that run the bot's own image."""
    return {name: service for name, service in services(file).items() if "build" in service}


def test_images_name_a_minor_version() -> None:
    images = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert len(images) == 2
    for file in COMPOSE:
        images += [service["image"] for service in services(file).values() if "build" not in service]
    assert len(images) == 3
    for image in images:
        assert re.search(r":\d+\.\d+\b", image), image


def test_the_kinds_of_compose_are_what_the_guide_says() -> None:
    assert list(services("compose.yaml")) == ["bot"]
    assert list(services("compose.workers.yaml")) == ["db", "bot", "worker"]
    assert list(ours("compose.workers.yaml")) == ["bot", "worker"]


@pytest.mark.parametrize("file", COMPOSE)
def test_our_containers_have_no_rights(file: str) -> None:
    for name, service in ours(file).items():
        assert service["read_only"] is True, name
        assert service["tmpfs"] == ["/tmp"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert [volume.partition(":")[2] for volume in service["volumes"]] == ["/app/data"], name
        assert float(service["stop_grace_period"].removesuffix("s")) > stopping.STOP_SECONDS, name


@pytest.mark.parametrize("file", COMPOSE)
def test_only_this_machine_reaches_the_ports(file: str) -> None:
    published = [port for service in services(file).values() for port in service.get("ports", ())]
    assert published == ["127.0.0.1:8080:8080"]


@pytest.mark.parametrize("file", COMPOSE)
def test_what_the_image_sets_wins_over_the_operators_file(file: str) -> None:
    for name, service in ours(file).items():
        assert service["env_file"] == ".env"
        settings = service["environment"]
        assert (settings["HOST"], settings["PORT"], settings["DATA_DIR"]) == ("0.0.0.0", 8080, "data"), name


@pytest.mark.parametrize("file", COMPOSE)
def test_no_password_has_a_default(file: str) -> None:
    text = (ROOT / file).read_text()
    assert len(re.findall(r"PASSWORD\}", text)) == 0, "compose would take an empty one"
    for use in re.findall(r"\$\{\w*PASSWORD[^}]*\}", text):
        assert ":?" in use, use


def test_a_try_without_its_programs_says_what_to_install(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "try_container.py"],
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "✗ missing: apt-get install buildah debootstrap util-linux\n"
