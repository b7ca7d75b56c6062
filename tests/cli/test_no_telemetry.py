"""The libraries that the bot uses report nothing to anyone."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.playground import samples
from tests.cli.conftest import Run


@pytest.mark.usefixtures("segmenter_folder")
def test_an_edit_by_the_learned_model_leaves_nothing_in_the_home_folder(bot: Run, tmp_path: Path) -> None:
    """ONNX Runtime would write an id of the machine there, and send usage data in its name."""
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "boat.jpg").write_bytes(samples.jpeg("boat"))
    edit = ("edit", "remove-background", "boat.jpg", "-o", "cut-out.png", "--finish", "transparent")
    done = bot(tmp_path, *edit, HOME=str(home))
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "data" / "models" / "u2netp.onnx").is_file()
    assert list(home.rglob("*")) == []
