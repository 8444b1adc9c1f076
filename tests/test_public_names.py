"""The names a notebook may use."""

from __future__ import annotations

import subprocess
import sys
from importlib import util

import lkcook


def test_every_public_name_is_there_and_has_a_docstring() -> None:
    for name in lkcook.__all__:
        assert getattr(lkcook, name).__doc__, name


def test_no_public_name_is_hidden_by_a_module_once_that_is_imported() -> None:
    for name in lkcook.__all__:
        getattr(lkcook, name)
        assert util.find_spec(f"lkcook.{name}") is None, name


def test_importing_the_package_loads_neither_the_sdk_nor_a_model() -> None:
    heavy = "sorted({'livekit', 'numpy', 'xllamacpp', 'IPython'} & set(sys.modules))"
    code = f"import sys, lkcook; print({heavy})"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_the_gateway_and_the_call_do_not_know_each_other() -> None:
    code = "import sys, lkcook.call; print([name for name in sys.modules if name.startswith('lkcook.gateway')])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
    code = "import sys, lkcook.gateway.server; print([n for n in sys.modules if n in ('lkcook.call', 'lkcook.panel')])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
