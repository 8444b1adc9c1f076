"""Where this user's gateway is: an address in a file that only this user can read (0600), and how to ask it."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import jwt

from lkcook import paths

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


def written() -> Address | None:
    """What a gateway has written last, whether it still runs or not."""
    try:
        told = json.loads(_address_file().read_text())
        known = {field.name for field in fields(Address)}  # a newer lkcook's gateway may have written more
        return Address(**{name: value for name, value in told.items() if name in known})
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def write(address: Address) -> None:
    """Only this user can read it."""
    part = _address_file().with_suffix(f".{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(address), file)
    os.replace(part, _address_file())


def forget(address: Address) -> None:
    """Remove the address, unless another gateway has written its own since."""
    last = written()
    if last is not None and last.pid == address.pid:
        _address_file().unlink(missing_ok=True)


def code() -> str:
    """Changes whenever lkcook's own files do, or the chosen language model: such a gateway is replaced."""
    package = Path(__file__).resolve().parents[1]
    newest = max(path.stat().st_mtime_ns for path in package.rglob("*.py"))
    return f"{newest}-{os.environ.get('LKCOOK_LLM', '')}"


def _address_file() -> Path:
    return paths.runtime_dir() / "gateway.json"
