"""When Python looks for garbage: not while the program is imported, and never among what stays until its end.

Imports make hundreds of thousands of objects and hardly any garbage. Searching them again and again takes a fifth of a
start, and once more at the end, when Python would take them apart one by one.
"""

from __future__ import annotations

import gc


def pause() -> None:
    """Collect no garbage until `resume`."""
    gc.disable()


def resume() -> None:
    """Collect again, if it was paused, but nothing that exists by now."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def freeze_startup_objects() -> None:
    """Exempt all objects that exist now from garbage collection: they stay until the program ends.

    Otherwise every full collection visits the objects of all modules and blocks the loop meanwhile.
    """
    gc.collect()
    gc.freeze()
