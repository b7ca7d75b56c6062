"""What only the fork server imports, before it forks pixel processes (`bot.imaging.pool`).

From Python 3.12 on, `os.fork` warns if the process has threads. Here they are those of C libraries that the server has
imported: ONNX Runtime, and OpenBLAS where OPENBLAS_NUM_THREADS allows it more than one, which it starts again in the
child (``pthread_atfork``). They wait for work that the server never gives them, so at a fork none of them holds a lock.
"""

import gc
import os
import sys
import warnings

if any("multiprocessing.forkserver" in argument for argument in sys.orig_argv):
    # All that the server imports stays: it is not searched for garbage, there or in pixel processes, whose copies of
    # its memory would become their own by that.
    gc.disable()
    os.register_at_fork(before=gc.freeze, after_in_child=gc.enable)


warnings.filterwarnings("ignore", message=".*is multi-threaded, use of fork", category=DeprecationWarning)
