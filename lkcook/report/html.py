"""Plain semantic HTML for notebooks: it inherits text colours, so it reads in light and dark themes."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

RULE = "var(--jp-border-color2, currentColor)"
TABLE = "border-collapse: collapse; color: var(--jp-content-font-color1, inherit); background: none"
CODE = "font-family: var(--jp-code-font-family, monospace)"
CELL = f"padding: 2px 10px; border-bottom: 1px solid {RULE};"


class Link(str):
    """The text of a cell that leads to an address."""

    address: str

    def __new__(cls, text: str, address: str) -> Link:
        link = super().__new__(cls, text)
        link.address = address
        return link


def inline(text: str) -> str:
    """Escaped; a newline begins a new line, and a Link opens its address beside the notebook."""
    if isinstance(text, Link):
        return f'<a href="{escape(text.address)}" target="_blank" rel="noopener">{escape(text)}</a>'
    return escape(text).replace("\n", "<br>")


def table(caption: str, headers: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]) -> str:
    """A table; `headers` are (title, help shown on hover). Cells are `inline` text; numbers align right."""
    head = "".join(_heading(title, hint) for title, hint in headers)
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows)
    return (
        f'<table style="{TABLE}"><caption style="text-align: left">{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def code(text: str) -> str:
    """Lines of code, or of JSON."""
    return f'<pre style="{CODE}">{escape(text)}</pre>'


def columns(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The same table as aligned text, for terminals and plain notebooks."""
    lines = [list(headers), *[list(row) for row in rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(headers))]
    return "\n".join("  ".join(_pad(value, width) for value, width in zip(line, widths)).rstrip() for line in lines)


def _heading(title: str, hint: str) -> str:
    return f'<th style="{CELL} text-align: left" title="{escape(hint)}">{escape(title)}</th>'


def _cell(value: str) -> str:
    align = "right" if _numeric(value) else "left"
    return f'<td style="{CELL} text-align: {align}">{inline(value)}</td>'


def _pad(value: str, width: int) -> str:
    return value.rjust(width) if _numeric(value) else value.ljust(width)


def _numeric(value: str) -> bool:
    return value.lstrip("-−+").rstrip("%*").replace(".", "", 1).isdigit()
