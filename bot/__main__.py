"""`python -m bot`: see `cli`."""

import sys

from bot import garbage

garbage.pause()  # the command resumes it once its modules are imported

from bot.cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
