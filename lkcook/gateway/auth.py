"""Who may speak to the gateway: programs of this user that hold this run's secret, and no web page.

LiveKit's clients sign a JWT (HS256) with the API secret for every request; it must carry the grant
`inference.perform` (livekit-agents 1.8.9, inference/_utils.py). A provider's own client sends a key instead, made from
the same secret. Both say whose they are: key and issuer end in the name of the process they were given to, which
tells the requests of one kernel from another's. A browser cannot be fooled into calling: a foreign Origin, or a Host
that is not this loopback address (DNS rebinding), is refused first.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import jwt
from aiohttp import web

_LEEWAY = 10  # seconds of clock difference allowed
_LOOPBACK = {"127.0.0.1", "localhost"}


@dataclass(frozen=True)
class Credentials:
    """This run's key and secret; made anew each time a gateway starts."""

    api_key: str = field(default_factory=lambda: f"lkcook-{secrets.token_hex(8)}")
    api_secret: str = field(default_factory=lambda: secrets.token_urlsafe(48))


class Refused(Exception):
    """The request may not pass; `status` is 401 or 403."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


OWNER = web.RequestKey("owner", str)  # the process whose key signed this request; "" when it has no name


def provider_key(api_secret: str, owner: str) -> str:
    """What stands in for a provider's API key (ELEVEN_API_KEY, GOOGLE_API_KEY, …) while the embedded gateway is in force."""
    return f"sk-lkcook-{owner}-{hmac.new(api_secret.encode(), owner.encode(), hashlib.sha256).hexdigest()[:40]}"


def verify_provider_key(key: str, credentials: Credentials) -> str:
    """The owner of a provider key; raises Refused(401)."""
    owner = key.removeprefix("sk-lkcook-").rpartition("-")[0]
    if not hmac.compare_digest(key.encode(), provider_key(credentials.api_secret, owner).encode()):
        raise Refused(401, "this is not a key of this gateway; call lkcook.setup() again")
    return owner


def verify(token: str, credentials: Credentials) -> str:
    """Check signature, expiry, issuer and grant, and return the owner; raises Refused(401) that says which failed."""
    try:
        claims = jwt.decode(
            token,
            credentials.api_secret,
            algorithms=["HS256"],
            leeway=_LEEWAY,
            options={"require": ["exp", "iss"]},
        )
        key, _, owner = str(claims["iss"]).partition(".")
        if key != credentials.api_key:
            raise jwt.InvalidIssuerError("another gateway's key")
    except jwt.ExpiredSignatureError as error:
        raise Refused(401, "the access token has expired; sign a new one") from error
    except jwt.InvalidTokenError as error:
        raise Refused(
            401,
            f"the access token is not valid for this gateway ({error}); call lkcook.setup() again: "
            "a gateway that restarted has a new key",
        ) from error
    grant = claims.get("inference")
    if not isinstance(grant, dict) or grant.get("perform") is not True:
        raise Refused(401, "the access token lacks the grant inference.perform")
    return owner


def check_origin(request: web.Request) -> None:
    """Raises Refused(403) for a request that a web page on another site, or another host name, caused."""
    host = urlsplit(f"//{request.host}").hostname
    if host not in _LOOPBACK:
        raise Refused(403, f"this gateway answers on 127.0.0.1 only, not as {host}")
    if (origin := request.headers.get("Origin")) is not None:
        parts = urlsplit(origin)
        if parts.hostname not in _LOOPBACK or parts.netloc != request.host:
            raise Refused(403, f"web pages of {origin} may not use this gateway")


def guard(credentials: Credentials) -> Callable[..., Awaitable[web.StreamResponse]]:
    """aiohttp middleware: every route needs a valid bearer token and an innocent origin."""

    @web.middleware
    async def middleware(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            check_origin(request)
            request[OWNER] = _owner(request, credentials)
        except Refused as refused:
            return error_response(refused.status, str(refused), "authentication_error")
        return await handler(request)

    return middleware


def _owner(request: web.Request, credentials: Credentials) -> str:
    if key := request.headers.get("xi-api-key") or request.headers.get("x-goog-api-key") or _googles_key(request):
        return verify_provider_key(key, credentials)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused(401, "no access token: send Authorization: Bearer <JWT>")
    if token.startswith("sk-"):  # OpenAI's clients, and xAI's
        return verify_provider_key(token.strip(), credentials)
    return verify(token.strip(), credentials)


def _googles_key(request: web.Request) -> str:
    """Google's clients may also write their key into the address; nobody else's do."""
    return request.query.get("key", "") if request.path.startswith("/ws/google.") else ""


def error_response(status: int, message: str, kind: str, code: str | None = None) -> web.Response:
    """An error in the shape OpenAI's clients read."""
    return web.json_response({"error": {"message": message, "type": kind, "code": code}}, status=status)
