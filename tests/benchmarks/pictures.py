"""Results of the local engine on real photos, beside those of common alternatives; contact sheets as PNG."""

from __future__ import annotations

from tests.benchmarks import (
    _cutouts,
    _doubt,
    _edges,
    _every_photo,
    _fills,
    _large_holes,
    _masks,
    _photos,
    _whole_edits,
)


def main() -> list[str]:
    """All tables' lines; the sheets go to `build/bench/pictures`."""
    if why := _photos.missing():
        return [why]
    # What is timed comes first: a machine has to be kept quiet for a few minutes only.
    cutouts, edits, costs, edges = _cutouts.main(), _whole_edits.main(), _fills.costs(), _edges.main()
    fills = _fills.lines(costs, _fills.qualities(_photos.names("hole")))
    return [
        *("### Masks", "", *_masks.main(), ""),
        *("### Doubt", "", *_doubt.main(), ""),
        *("### Cut-outs", "", *cutouts, ""),
        *("### Edges", "", *edges, ""),
        *("### Fills", "", *fills, "", *_large_holes.main(), ""),
        *("### Whole edits", "", *edits, ""),
        *("### Every photo", "", *_every_photo.main()),
    ]
