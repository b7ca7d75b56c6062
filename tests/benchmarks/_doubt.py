"""Doubt: how often the bot asks about wrong finds and about right ones, and whether it offers the right object."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bot.imaging.masks import from_matte
from bot.segmentation import objects
from tests.benchmarks import _cases, _models, _sheets
from tests.benchmarks._cost import tell
from tests.benchmarks._finders import found
from tests.benchmarks._masks import overlap
from tests.benchmarks._workers import workers

RIGHT = 0.5
"""Overlap from which a find counts as right."""
OFFERED = (3, 6)
"""Number of objects offered: in one row of buttons, and at most."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One photo's automatic find.

    Attributes:
        right: It overlaps the truth by RIGHT or more.
        asked: The person is asked whether it is right.
        place: For a wrong find: the place of the first right object among those that are found, from 1; None: none is.
    """

    right: bool
    asked: bool
    place: int | None = None


def answer(kind: str, models: Path | None, at: int) -> Answer:
    """Find the subject of a photo and, if it is wrong, the other salient objects."""
    case = _cases.cases(kind)[at]
    seen = found(case, models)
    if overlap(from_matte(seen.matte), case.truth) >= RIGHT:
        return Answer(right=True, asked=not seen.sure)
    offered = objects.find_objects(case.photo, models, limit=OFFERED[-1])
    fitting = (i for i, item in enumerate(offered, 1) if overlap(from_matte(item.matte), case.truth) >= RIGHT)
    return Answer(right=False, asked=not seen.sure, place=next(fitting, None))


def row(kind: str, way: str, answers: list[Answer]) -> list[str]:
    """The table's row."""
    wrong, right = ([one for one in answers if one.right is side] for side in (False, True))
    offered = (sum(one.place is not None and one.place <= most for one in wrong) for most in OFFERED)
    return [
        f"{kind}, {way}",
        *(f"{sum(one.asked for one in some)} of {len(some)}" for some in (wrong, right)),
        *(f"{count} of {len(wrong)}" for count in offered),
    ]


def main() -> list[str]:
    """The table's lines."""
    ways = {"no model file": None} | {model: _models.only(model) for model in _models.present()}
    rows = []
    with workers() as pool:
        for kind, (way, models) in itertools.product(_cases.SETS, ways.items()):
            tell(f"doubt, {kind}: {way}")
            answers = pool.map(partial(answer, kind, models), range(len(_cases.cases(kind))))
            rows.append(row(kind, way, list(answers)))
    head = [
        "doubt",
        "wrong finds asked about",
        "right finds asked about",
        *(f"a right object among the first {most}, of wrong finds" for most in OFFERED),
    ]
    explained = f"Automatic finds; right: IoU ≥ {RIGHT}. Asked about: the find says that it is not sure."
    return [*_sheets.table(head, rows), "", explained, *_models.missing()]
