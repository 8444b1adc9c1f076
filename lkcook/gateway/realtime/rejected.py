"""What a client asked for and cannot have."""

from __future__ import annotations

from lkcook.gateway.socket import ProtocolError


class Rejected(ProtocolError):
    """reason: a word for programs, as OpenAI's error codes are. param: the field that is wrong."""

    def __init__(self, message: str, reason: str = "invalid_value", *, param: str = "", fatal: bool = False) -> None:
        super().__init__(message, fatal=fatal)
        self.reason, self.param = reason, param
