"""A provider as a reader sees it: a row of a table, or its models, what they need, and a recipe."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from importlib import metadata

from lkcook.keys import is_gateways
from lkcook.providers.construction import Construction, construct, listed
from lkcook.providers.facts import Address
from lkcook.providers.recipes import Recipe
from lkcook.providers.source import KINDS, Model
from lkcook.report.html import Link, code, columns, inline, table

_PARAMETER = re.compile(r"base_url|endpoint_url|\w*endpoint|speech_host|http_options")
_VARIABLE = re.compile(r"\w+_(?:BASE_URL|ENDPOINT|HOST)")
_HEADERS = {
    "provider": "What lkcook.plugins() takes; leads to LiveKit's page about it",
    "models": "Classes, and factories of OpenAI's plugin; or how to install them",
    "offline": "What the embedded gateway answers",
    "key": "Environment variables of its keys, from the plugin's source",
    "address": "Parameters and variables that lead it elsewhere",
}


@dataclass(frozen=True, repr=False)
class Provider:
    """One provider.

    version: of its plugin, "" when that is not installed; its `models` and `keys` are then unknown.
    keys: the environment variables of its keys. needed: those without which its recipe does not run.
    account: of these the keys of what does not run offline, for which the embedded gateway's own are none.
    address: a variable that its SDK reads. realtime_extra: its realtime model needs more packages.
    offline: kinds of model that the embedded gateway answers. recipe: str(…) is complete code.
    """

    name: str
    title: str
    package: str
    version: str
    models: tuple[Model, ...]
    keys: tuple[str, ...]
    needed: tuple[str, ...]
    account: tuple[str, ...]
    address: Address | None
    realtime_extra: bool
    offline: tuple[str, ...]
    documentation: str
    note: str
    recipe: Recipe

    @property
    def missing(self) -> tuple[str, ...]:
        """The variables that the recipe needs and that are not set, or by the embedded gateway alone."""
        own = {name: os.environ.get(name, "") for name in self.needed}
        return tuple(
            name for name, value in own.items() if not value or (name in self.account and is_gateways(value))
        )

    @property
    def own_keys(self) -> tuple[str, ...]:
        """Those of its keys that are the reader's, with which the provider itself is called."""
        values = {name: os.environ.get(name, "") for name in self.keys}
        return tuple(name for name, value in values.items() if value and not is_gateways(value))

    @property
    def install(self) -> str:
        """The line that installs the plugin, in the version of this SDK."""
        return f"pip install {self.package}=={metadata.version('livekit-agents')}"

    def ways(self, model: Model) -> tuple[str, ...]:
        """What changes the address of one of its models: parameters ("base_url=") and environment variables."""
        parameters = [f"{name}=" for name in model.parameters if _PARAMETER.fullmatch(name)]
        parameters = parameters or [f"{name}=" for name in model.parameters if name == "client"]
        variables = [name for name in (*model.read, *model.told) if _VARIABLE.fullmatch(name)]
        sdks = [self.address.variable] if self.address and model.kind in self.address.kinds else []
        return tuple(dict.fromkeys((*parameters, *variables, *sdks)))

    def construct(self) -> Construction:
        """Import the plugin and construct the recipe's models, with made-up keys where yours are missing."""
        return construct(self.title, self.recipe, self.missing)

    @property
    def row(self) -> dict[str, str]:
        """One row of the table."""
        kinds = {kind: ", ".join(model.name for model in self.models if model.kind == kind) for kind in KINDS.values()}
        return {
            "provider": self.name,
            **kinds,
            "installed": self.version or self.install,
            "key": ", ".join(self.keys),
            "address": ", ".join(self._all_ways),
            "offline": ", ".join(self.offline),
            "documentation": self.documentation,
        }

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as a notebook shows it, which is half as wide: under _HEADERS, a line for each thing."""
        models = [model.name for model in self.models] or [self.install]
        lines = (models, self.offline, self.keys, self._all_ways)
        return (Link(self.name, self.documentation), *map("\n".join, lines))

    @property
    def _all_ways(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(way for model in self.models for way in self.ways(model)))

    def _rows(self, separator: str = ", ") -> list[tuple[str, str, str, str]]:
        variables = [separator.join((*model.read, *model.told)) for model in self.models]
        ways = [separator.join(self.ways(model)) or "fixed" for model in self.models]
        return [(model.name, model.kind, *rest) for model, *rest in zip(self.models, variables, ways)]

    def _facts(self) -> list[str]:
        extra = f"realtime needs pip install '{self.package}[realtime]'" if self.realtime_extra else ""
        missing = f"to run the recipe, set {listed(self.missing)} in .env" if self.missing else ""
        plugin = f"{self.package} {self.version}" if self.version else f"not installed: {self.install}"
        offline = f"offline: {', '.join(self.offline)}" if self.offline else "not offline"
        page = Link(self.documentation, self.documentation)
        return [fact for fact in (plugin, offline, extra, self.note, missing, page) if fact]

    def _repr_html_(self) -> str:
        titles = [(title, "") for title in ("model", "kind", "variables", "address")]
        facts = "".join(f"<li>{inline(fact)}</li>" for fact in self._facts())
        models = table(self.title, titles, self._rows("\n"))
        return f"{models}<ul>{facts}</ul>{code(str(self.recipe))}"

    def __repr__(self) -> str:
        models = columns(("model", "kind", "variables", "address"), self._rows())
        return "\n".join([self.title, models, *(f"- {fact}" for fact in self._facts()), "", str(self.recipe)])


class Plugins(list[Provider]):
    """Providers; a table wherever they are shown."""

    @property
    def rows(self) -> list[dict[str, str]]:
        """A dict for each provider, the same keys in each."""
        return [provider.row for provider in self]

    def _repr_html_(self) -> str:
        return table(f"Providers of the reference: {len(self)}", list(_HEADERS.items()), [each.cells for each in self])

    def __repr__(self) -> str:
        return columns(list(self.rows[0]), [list(row.values()) for row in self.rows])
