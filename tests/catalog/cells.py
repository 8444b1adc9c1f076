"""A table of a notebook, read back: how many tags of each kind, and all of its text."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser





class Cells(HTMLParser):
    """The text of every cell, and every tag."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1

    def handle_data(self, data: str) -> None:
        self.text += data + "\n"
