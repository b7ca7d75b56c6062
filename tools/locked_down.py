"""Start the files of a container image as a container's runtime does, with util-linux alone; for `try_container.py`.

The process is the image's command as the image's user and process 1, with a read-only root, `/tmp` in memory, no
capabilities, no network but loopback, and "no new privileges". Not Docker's: no seccomp profile, no limits.
Standard library only; needs root.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

START_SECONDS = 30.0
"""How long an image's health check may fail: the start period in the Dockerfile."""
STOP_SECONDS = 35.0
"""As Docker is told to wait: `stop_grace_period` in compose.yaml."""

PROGRAMS = ("unshare", "nsenter", "setpriv")

LOCK_DOWN = """
mount --make-rprivate /
mount --bind "$IMAGE" "$IMAGE"
mount -o remount,bind,ro "$IMAGE"
mount -t proc proc "$IMAGE/proc"
mount -t tmpfs tmpfs "$IMAGE/tmp"
mount -t tmpfs -o mode=755 tmpfs "$IMAGE/dev"
mkdir -m 1777 "$IMAGE/dev/shm"
for device in null zero full random urandom; do
    touch "$IMAGE/dev/$device"
    mount --bind "/dev/$device" "$IMAGE/dev/$device"
done
mount --bind "$DATA" "$IMAGE$VOLUME"
"$PYTHON" -c "$LOOPBACK_UP"
exec chroot "$IMAGE" "$@"
"""
"""Runs as root in namespaces of its own, and becomes the image's command."""

LOOPBACK_UP = """
import fcntl, socket, struct
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
"""

LOCKED = ("CapPrm:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1")
"""What the kernel says of a process that has no rights and cannot get any."""


class ContainerError(Exception):
    """The image does not do what it should; the message tells what."""


class Container:
    """A running image.

    Args:
        image: Folder of the image's files.
        config: The image's settings, as `docker inspect` names them: User, Env, Cmd, Healthcheck, …
        data: An empty folder for the image's one volume.
        settings: Further variables of the environment, as `NAME=value`.

    Raises:
        ContainerError: The image's user is root or unknown.
    """

    def __init__(self, image: Path, config: dict[str, Any], data: Path, settings: tuple[str, ...] = ()) -> None:
        self._image, self._config, self._settings = image, config, settings
        user = re.search(rf"^{config['User']}:[^:]*:(\d+):(\d+):", (image / "etc/passwd").read_text(), re.MULTILINE)
        if user is None or user[1] == "0":
            raise ContainerError(f"the image's user is {config['User']!r}, which is root or unknown")
        self._ids = user[1], user[2]
        os.chown(data, int(user[1]), int(user[2]))
        (volume,) = config["Volumes"]
        places = {"IMAGE": str(image), "DATA": str(data), "VOLUME": volume}
        helpers = {"PATH": os.environ["PATH"], "PYTHON": sys.executable, "LOOPBACK_UP": LOOPBACK_UP}
        alone = ("unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child")
        self._process = subprocess.Popen(
            (*alone, "sh", "-euc", LOCK_DOWN, "sh", *self._as_user(*config["Cmd"])), env={**places, **helpers}
        )

    def _as_user(self, *command: str) -> tuple[str, ...]:
        """The command as the image's user, in its folder, with its environment alone, and no way to more rights."""
        folder = ("env", "-i", "-C", self._config["WorkingDir"], *self._config["Env"], *self._settings)
        uid, gid = self._ids
        rights = ("--clear-groups", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")
        return (*folder, "setpriv", f"--reuid={uid}", f"--regid={gid}", *rights, *command)

    @property
    def pid(self) -> str:
        """The container's process 1, as this machine numbers it; empty before it is in the image, and after its end."""
        parent = self._process.pid
        with contextlib.suppress(OSError):
            pid = Path(f"/proc/{parent}/task/{parent}/children").read_text().strip()
            if os.readlink(f"/proc/{pid}/root") == str(self._image):
                return pid
        return ""

    def inside(self, *command: str) -> tuple[str, ...]:
        """What runs a command in the container beside its process 1, as `docker exec` does."""
        enter = ("nsenter", "--target", self.pid, "--mount", "--pid", "--net", "--ipc", "--uts", "--root")
        return (*enter, *self._as_user(*command))

    def wait_until_healthy(self) -> float:
        """Run the image's health check until it passes; return the seconds that took.

        Raises:
            ContainerError: The process ended, or the check did not pass in time.
        """
        began = time.monotonic()
        while time.monotonic() < began + START_SECONDS:
            if self._process.poll() is not None:
                raise ContainerError(f"the bot ended at its start, with exit code {self._process.returncode}")
            check = self._config["Healthcheck"]["Test"][1:]
            if self.pid and subprocess.run(self.inside(*check), capture_output=True, check=False).returncode == 0:
                return time.monotonic() - began
            time.sleep(0.2)  # a health check is asked again and again, as Docker does: no event crosses its border
        raise ContainerError(f"the image's health check did not pass within {START_SECONDS:.0f} s")

    def check_rights(self) -> None:
        """Check that process 1 is not root, has no capabilities, and cannot write into the image.

        Raises:
            ContainerError: It has more rights than that.
        """
        status = Path(f"/proc/{self.pid}/status").read_text()
        if "Uid:\t0" in status or not all(line in status for line in LOCKED):
            raise ContainerError(f"the bot has rights that it should not have:\n{status}")
        written = subprocess.run(self.inside("touch", "bot/x", "/etc/x"), capture_output=True, check=False)
        if written.stderr.count(b"Read-only file system") != 2:
            raise ContainerError(f"the image can be written to: {written.stderr.decode()}")

    def stop(self) -> tuple[int, float]:
        """Send the image's stop signal; return the exit code and the seconds until the end.

        Raises:
            ContainerError: It did not end in time.
        """
        began = time.monotonic()
        name = self._config["StopSignal"]
        os.kill(int(self.pid), signal.Signals[name])
        try:
            return self._process.wait(STOP_SECONDS), time.monotonic() - began
        except subprocess.TimeoutExpired:
            raise ContainerError(f"the bot had not ended {STOP_SECONDS:.0f} s after {name}") from None

    def kill(self) -> None:
        """End it, if it still runs."""
        self._process.kill()
        self._process.wait()


@contextlib.contextmanager
def started(image: Path, config: dict[str, Any], data: Path, *settings: str) -> Iterator[Container]:
    """A container that is killed at the end of the block if it still runs."""
    container = Container(image, config, data, settings)
    try:
        yield container
    finally:
        container.kill()
