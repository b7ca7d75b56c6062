"""What the local engine makes of real photos, without model files, beside what PyPI offers; contact sheets as PNG."""

from __future__ import annotations

from tests.benchmarks import _edges, _every_photo, _fills, _large_holes, _masks, _photos, _whole_edits


def main() -> list[str]:
    """All tables' lines; the sheets go to `build/bench/pictures`."""
    if why := _photos.missing():
        return [why]
    # What is timed first: whoever needs a quiet machine for it has to keep it quiet for a few minutes only.
    edits, costs, edges = _whole_edits.main(), _fills.costs(), _edges.main()
    fills = _fills.lines(costs, _fills.qualities(_photos.names("hole")))
    return [
        *("### Fills", "", *fills, "", *_large_holes.main(), ""),
        *("### Masks", "", *_masks.main(), ""),
        *("### Edges", "", *edges, ""),
        *("### Whole edits", "", *edits, ""),
        *("### Every photo", "", *_every_photo.main()),
    ]
