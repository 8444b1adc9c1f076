"""Is this a notebook? Asked without importing IPython, which a terminal does not need."""

from __future__ import annotations

import sys
from typing import Any


def shell() -> Any:
    """The IPython shell this code runs in, None outside IPython."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def kernel() -> Any:
    """The Jupyter kernel this code runs in, None in a terminal."""
    return getattr(shell(), "kernel", None)
