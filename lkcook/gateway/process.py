"""The gateway as a process of its own, shared by every kernel of this user.

It is found through its address (`gateway.address`); whoever needs one first starts it under a file lock. It ends by
itself when nobody has used it for 15 minutes (LKCOOK_IDLE, in seconds).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

from filelock import FileLock

from lkcook import paths
from lkcook.errors import BackendError
from lkcook.gateway.address import Address, code, written

_START_WITHIN = 60.0  # seconds; importing the SDK on a cold disk is the slow part


def ensure() -> Address:
    """The running gateway, started now if there is none (or if it runs other code). Safe to call from anywhere.

    Raises BackendError with the end of its log when it does not start.
    """
    with FileLock(paths.runtime_dir() / "gateway.lock"):
        address = running()
        if address is not None and address.code == code():
            return address
        if address is not None:
            _end(address)
        return _start()


def running() -> Address | None:
    """The gateway that answers now, or None."""
    address = written()
    status = address and address.status()
    return address if status and status["pid"] == address.pid else None


def stop() -> bool:
    """Stop the running gateway; False when there was none."""
    with FileLock(paths.runtime_dir() / "gateway.lock"):
        address = running()
        if address is None:
            return False
        _end(address)
        return True


def _start() -> Address:
    log = paths.runtime_dir() / "gateway.log"
    # LKCOOK_FAIL is this process's wish (backend.py passes it on); a gateway that inherits it would fail for everybody
    environ = {name: value for name, value in os.environ.items() if name != "LKCOOK_FAIL"}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "lkcook", "gateway"],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            **_detached(),
        )
    deadline = time.monotonic() + _START_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        address = running()
        if address is not None and address.pid == process.pid:
            return address
        time.sleep(0.1)
    process.kill()
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
    raise BackendError(
        f"The embedded gateway did not start:\n{tail}",
        "run `python cook.py doctor`; `python cook.py gateway` shows its output in the foreground",
    )


def _detached() -> dict[str, object]:
    """It must outlive the kernel that happened to start it, and not be hit by that kernel's Ctrl-C."""
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
        return {"creationflags": flags}
    return {"start_new_session": True}


def _end(address: Address) -> None:
    address.ask("POST", "/stop")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and address.status() is not None:
        time.sleep(0.05)
