"""AWS's signature, version 4, of a request: nothing of it was changed, and who sent it knows the secret.

    AWS4-HMAC-SHA256 Credential=<key id>/<day>/<region>/<service>/aws4_request, SignedHeaders=host;…, Signature=…

The key id names the owner, and the secret is the provider key that was made for that owner. botocore, which could do
the same, belongs to a plugin that need not be installed.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from calendar import timegm
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from urllib.parse import quote

SCHEME = "AWS4-HMAC-SHA256"
_ANY = "surrogateescape"  # whatever bytes a client may have sent
_FRESH = 5 * 60  # seconds of a signature's life, which is AWS's rule


class Unsigned(Exception):
    """The signature does not hold; `kind` is AWS's word for it."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(why)
        self.kind = kind


@dataclass(frozen=True)
class Signed:
    """What was signed beside the body. path: as it was sent, with its query. headers: names of any case."""

    method: str
    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Signature:
    """Of an Authorization header. scope: day, region and service, and the word that ends it."""

    key_id: str
    scope: tuple[str, ...]
    names: tuple[str, ...]
    value: str

    @classmethod
    def read(cls, header: str) -> Signature:
        """Raises Unsigned."""
        parts = dict(part.strip().partition("=")[::2] for part in header.removeprefix(SCHEME).split(","))
        key_id, *scope = parts.get("Credential", "").split("/")
        names = tuple(parts.get("SignedHeaders", "").split(";"))
        complete = len(scope) == 4 and {"host", "x-amz-date"} <= set(names) and parts.get("Signature")
        if not complete or not header.isascii():
            told = "Authorization needs Credential, Signature, and SignedHeaders with host and x-amz-date"
            raise Unsigned("IncompleteSignatureException", told)
        return cls(key_id, tuple(scope), names, parts["Signature"])

    @property
    def service(self) -> str:
        """What the request is meant for: "bedrock", "polly"."""
        return self.scope[2]

    def check_date(self, date: str) -> None:
        """date: x-amz-date. Raises Unsigned for one that is not of these minutes."""
        try:
            signed = timegm(time.strptime(date, "%Y%m%dT%H%M%SZ"))
        except ValueError as error:
            raise Unsigned("IncompleteSignatureException", f"x-amz-date {date!r} is no date") from error
        if abs(time.time() - signed) > _FRESH or date[:8] != self.scope[0]:
            now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
            raise Unsigned("InvalidSignatureException", f"Signature expired: {date} is not within 5 minutes of {now}")

    def check(self, request: Signed, body: bytes, secret: str) -> None:
        """Raises Unsigned."""
        key = reduce(_mac, self.scope, f"AWS4{secret}".encode())
        canonical = hashlib.sha256(_canonical(request, self.names, body)).hexdigest()
        told = "\n".join([SCHEME, request.headers["x-amz-date"], "/".join(self.scope), canonical])
        if not hmac.compare_digest(_mac(key, told).hex().encode(), self.value.encode()):
            raise Unsigned("InvalidSignatureException", "The request signature does not match the one calculated here")


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _canonical(request: Signed, names: tuple[str, ...], body: bytes) -> bytes:
    """The path was encoded once to be sent, and is encoded once more to be signed, by every service but S3."""
    path, _, query = request.path.partition("?")
    headers = [f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in names]
    pairs = "&".join(sorted(pair if "=" in pair else f"{pair}=" for pair in query.split("&") if pair))
    digest = hashlib.sha256(body).hexdigest()
    path = quote(path, safe="/~", errors=_ANY)
    return "\n".join([request.method, path, pairs, "".join(headers), ";".join(names), digest]).encode(errors=_ANY)
