"""Results of the local engine on real photos (outside this repository) and of alternatives; contact sheets."""

from __future__ import annotations

from collections.abc import Callable

from tests.benchmarks import (
    _cutouts,
    _doubt,
    _edges,
    _every_photo,
    _fills,
    _large_holes,
    _masks,
    _photos,
    _sheets,
    _whole_edits,
)

TABLES = "tables.md"
"""In the sheets' folder: the tables of the parts that are done. All parts take about an hour on two slow cores."""


def main() -> list[str]:
    """All tables' lines; the sheets go to `build/bench/pictures`."""
    if why := _photos.missing():
        return [why]
    # What is timed comes first: a machine has to be kept quiet for a few minutes only.
    parts: dict[str, Callable[[], list[str]]] = {
        "Cut-outs": _cutouts.main,
        "Whole edits": _whole_edits.main,
        "Fills": _fills.main,
        "Large holes": _large_holes.main,
        "Edges": _edges.main,
        "Masks": _masks.main,
        "Doubt": _doubt.main,
        "Every photo": _every_photo.main,
    }
    lines: list[str] = []
    for title, part in parts.items():
        lines += [f"### {title}", "", *part(), ""]
        _sheets.SHEETS.mkdir(parents=True, exist_ok=True)
        (_sheets.SHEETS / TABLES).write_text("\n".join(lines))
    return lines
