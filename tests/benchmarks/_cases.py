"""The two sets of photos with true masks: street scenes and plain photos."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from bot.imaging.photo import Mask, Photo
from tests.benchmarks import _photos, _plain

STREET, PLAIN = "street scenes", "plain photos"
SETS = (STREET, PLAIN)


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A photo whose subject is known.

    Attributes:
        name: The photo's.
        scene: What is shown: photos of one scene count as one.
        photo: The photo.
        truth: (H, W) uint8, 255 = its subject.
    """

    name: str
    scene: str
    photo: Photo
    truth: Mask


@cache
def cases(kind: str) -> tuple[Case, ...]:
    """The photos of one of SETS that are available here."""
    if kind == PLAIN:
        return tuple(Case(name, name, Photo(_plain.photo(name)), _plain.mask(name)) for name in _plain.names())
    return tuple(
        Case(name, _photos.scene(name), Photo(_photos.photo(name)), _photos.mask(name, "subject"))
        for name in _photos.names("subject")
    )


def note(kind: str) -> str:
    """Describe a set, for the line below its table."""
    if kind == STREET:
        return (
            f"{len(cases(STREET))} photos of 854 px; IoU and MAE: mean per scene of four photos. Our ways were tuned "
            "on these very photos: expect somewhat less elsewhere."
        )
    absent = _plain.absent()
    lacking = f" Not here: {', '.join(absent)}." if absent else ""
    return f"{len(cases(PLAIN))} photos of one object each, 243 to 960 px, from packages of the bench set.{lacking}"
