"""What no protocol of JSON messages with a type can understand: what to call it → the text sent."""

from __future__ import annotations

NO_MESSAGE = {
    "not JSON": "hello?",
    "JSON that is no object": "[1, 2]",
    "no type": "{}",
    "type that is no text": '{"type": 7}',
    "unknown type": '{"type": "session.dance"}',
    "deep nesting": "[" * 100_000,
}
