"""The gateway as a process of its own, shared by every kernel of this user.

It is found through an address file that only this user can read (0600); whoever needs one first starts it
under a file lock. It ends by itself when nobody has used it for 15 minutes (LKCOOK_IDLE, in seconds).
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import jwt
from aiohttp import web
from filelock import FileLock

from lkcook import paths
from lkcook.errors import BackendError
from lkcook.gateway import certificate
from lkcook.gateway.auth import Credentials, provider_key
from lkcook.gateway.server import IDLE, build, until_unused

logger = logging.getLogger("lkcook.gateway")

_START_WITHIN = 60.0  # seconds; importing the SDK on a cold disk is the slow part
_ASK_WITHIN = 15.0  # a gateway that is gone refuses at once; one that loads its models on a busy machine takes its time


@dataclass(frozen=True)
class Address:
    """Where this user's gateway is and how to sign for it. `code` tells one lkcook version from another.

    secure_url: the same over TLS, without /v1; authorities: the file that verifies it. "" when it has none.
    """

    url: str
    api_key: str
    api_secret: str
    pid: int
    code: str
    secure_url: str = ""  # an older lkcook's gateway, which is about to be replaced, has written none
    authorities: str = ""

    def __repr__(self) -> str:
        return f"Address(url={self.url!r}, pid={self.pid})"  # secrets do not belong in outputs

    def status(self) -> dict[str, object] | None:
        """{"pid", "models", "sessions"}, or None when nobody answers there."""
        return self.ask("GET", "/status")

    def ask(self, method: str, path: str, body: object = None) -> dict[str, object] | None:
        """The JSON answer of this process's request, or None when nobody answers, or with an error."""
        issuer = f"{self.api_key}.{os.getpid()}"
        claims = {"iss": issuer, "exp": int(time.time()) + 60, "inference": {"perform": True}}
        token = jwt.encode(claims, self.api_secret, algorithm="HS256")
        base = self.url.removesuffix("/v1")
        request = urllib.request.Request(
            base + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never through a proxy
        try:
            with opener.open(request, timeout=_ASK_WITHIN) as response:
                return json.load(response)
        except (urllib.error.URLError, OSError, ValueError):
            return None


def ensure() -> Address:
    """The running gateway, started now if there is none (or if it runs other code). Safe to call from anywhere.

    Raises BackendError with the end of its log when it does not start.
    """
    with FileLock(paths.runtime_dir() / "gateway.lock"):
        address = running()
        if address is not None and address.code == _code():
            return address
        if address is not None:
            _end(address)
        return _start()


def running() -> Address | None:
    """The gateway that answers now, or None."""
    try:
        written = json.loads(_address_file().read_text())
        known = {field.name for field in fields(Address)}  # a newer lkcook's gateway may have written more
        address = Address(**{name: value for name, value in written.items() if name in known})
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    status = address.status()
    return address if status and status["pid"] == address.pid else None


def stop() -> bool:
    """Stop the running gateway; False when there was none."""
    with FileLock(paths.runtime_dir() / "gateway.lock"):
        address = running()
        if address is None:
            return False
        _end(address)
        return True


def environment(address: Address, owner: str | None = None) -> dict[str, str]:
    """The variables that point every client the gateway can serve at it; the keys are `owner`'s, or this process's."""
    owner = owner or str(os.getpid())
    key = provider_key(address.api_secret, owner)
    return {
        "LIVEKIT_INFERENCE_URL": address.url,
        "LIVEKIT_API_KEY": f"{address.api_key}.{owner}",
        "LIVEKIT_API_SECRET": address.api_secret,
        "ELEVEN_BASE_URL": address.url,
        "ELEVEN_API_KEY": key,
        "OPENAI_BASE_URL": address.url,
        "OPENAI_API_KEY": key,
        # LiveKit's plugin reads no address from the environment: a recipe passes this one on, which is the whole of it
        "XAI_BASE_URL": f"ws{address.url.removeprefix('http')}/realtime",
        "XAI_API_KEY": key,
        **(_googles(address, key) if address.secure_url else {}),
    }


def _googles(address: Address, key: str) -> dict[str, str]:
    """Google's clients want TLS. SSL_CERT_FILE adds to what they trust, and replaces nothing of it."""
    return {
        "GOOGLE_GEMINI_BASE_URL": address.secure_url,
        "GOOGLE_API_KEY": key,
        "SSL_CERT_FILE": address.authorities,
    }


def serve_forever() -> None:
    """Run the gateway in this process until it is stopped, unused for long, or interrupted."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    asyncio.run(_serve())


async def _serve() -> None:
    credentials = Credentials()
    app = build(credentials)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, handler_cancellation=True)
    await runner.setup()
    tls, authorities = certificate.server_context(paths.runtime_dir())
    for context in (None, tls):
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    port, secure_port = (address[1] for address in runner.addresses)
    address = Address(
        url=f"http://127.0.0.1:{port}/v1",
        api_key=credentials.api_key,
        api_secret=credentials.api_secret,
        pid=os.getpid(),
        code=_code(),
        secure_url=f"https://127.0.0.1:{secure_port}",
        authorities=str(authorities),
    )
    _write(address)
    logger.info("listening on %s", address.url)
    try:
        await until_unused(app, float(os.environ.get("LKCOOK_IDLE", IDLE)))
    finally:
        _forget(address)
        await runner.cleanup()


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


def _address_file() -> Path:
    return paths.runtime_dir() / "gateway.json"


def _write(address: Address) -> None:
    part = _address_file().with_suffix(f".{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(address), file)
    os.replace(part, _address_file())


def _forget(address: Address) -> None:
    """Remove the address, unless another gateway has written its own since."""
    try:
        mine = json.loads(_address_file().read_text())["pid"] == address.pid
    except (OSError, ValueError, KeyError):
        return
    if mine:
        _address_file().unlink(missing_ok=True)


def _code() -> str:
    """Changes whenever lkcook's own files do, or the chosen language model: such a gateway is replaced."""
    package = Path(__file__).resolve().parents[1]
    newest = max(path.stat().st_mtime_ns for path in package.rglob("*.py"))
    return f"{newest}-{os.environ.get('LKCOOK_LLM', '')}"
