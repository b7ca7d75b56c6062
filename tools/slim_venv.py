"""Remove from a `.venv` what the running bot never reads: `tools/slim_venv.py FOLDER`, for the container image.

Licences and metadata stay. `tests/unit/setup/test_slim_venv.py` checks that no module or library that the program loads
is removed. Standard library only.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

NEEDLESS = {
    "the packages' own tests": r"(.+/)?(tests?|SelfTest)/.+",
    "type stubs": r".+\.pyi",
    "sources and headers, to build against a package": r".+\.(h|hpp|c|cpp|pxd|pyx)",
    # Babel reads the texts; what it knows of a language is asked for English and Chinese only.
    "other languages' formats of dates and numbers": r"babel/locale-data/(?!(en|zh|root)\.dat$).+",
    # The Python module has the same code built in.
    "ONNX Runtime as a library for C": r"onnxruntime/capi/libonnxruntime\.so\..+",
    "ONNX Runtime's converters of models": r"onnxruntime/(transformers|quantization|tools)/.+",
    "Volcengine's examples": r"volcengine/example/.+",
    # Only where set-up used pip, because uv failed.
    "pip": r"pip(-[^/]+\.dist-info)?/.+",
}
"""What is removed → pattern of its path in `site-packages`."""


def needless(path: str) -> str | None:
    """Which of `NEEDLESS` a path in `site-packages` is; None: the bot may need it."""
    return next((name for name, pattern in NEEDLESS.items() if re.fullmatch(pattern, path)), None)


def slim(packages: Path) -> Counter[str]:
    """Remove what is needless from `site-packages`, and the folders that are then empty; return the bytes by kind."""
    removed: Counter[str] = Counter()
    for path in sorted(packages.rglob("*"), reverse=True):  # what a folder holds comes before the folder
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif (kind := needless(path.relative_to(packages).as_posix())) is not None:
            removed[kind] += path.lstat().st_size
            path.unlink()
    return removed


def main() -> None:
    found = list(Path(sys.argv[1]).glob("lib/python3.*/site-packages")) if len(sys.argv) == 2 else []
    if len(found) != 1:
        raise SystemExit("usage: tools/slim_venv.py FOLDER, a virtual environment")
    for kind, size in slim(found[0]).most_common():
        print(f"· removed {size / 1e6:.1f} MB: {kind}")


if __name__ == "__main__":
    main()
