"""A benchmark's table takes the place of the last one in the document."""

from __future__ import annotations

from tests.benchmarks.__main__ import machine, with_part

DOCUMENT = "# Measures\n\nWhat is this.\n\n## disk\n\nold\n\n### more\n\nold too\n\n## storm\n\nstays\n"


def test_a_part_is_replaced_whole() -> None:
    changed = with_part(DOCUMENT, "disk", "new\n")
    assert changed == "# Measures\n\nWhat is this.\n\n## disk\n\nnew\n\n## storm\n\nstays\n"
    assert with_part(changed, "storm", "calm") == changed.replace("stays", "calm")


def test_a_new_part_comes_last() -> None:
    assert with_part(DOCUMENT, "flood", "new") == DOCUMENT + "\n## flood\n\nnew\n"
    assert with_part("", "flood", "new").strip() == "## flood\n\nnew"


def test_backslashes_in_a_table_are_kept() -> None:
    assert "\\1 \\g<0>" in with_part(DOCUMENT, "disk", "\\1 \\g<0>")


def test_the_machine_is_named() -> None:
    assert "cores, Python 3." in machine()
