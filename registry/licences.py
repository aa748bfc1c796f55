"""What a licence allows: commercial use, adapters, and what an adapter must carry on."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from .errors import Refused

# How licences are written elsewhere, without case and with hyphens: SPDX's ids and what people say.
ALIASES: Mapping[str, str] = {
    "apache2": "apache-2.0",
    "apache-2": "apache-2.0",
    "apache2.0": "apache-2.0",
    "x11": "mit",
    "expat": "mit",
    "bsd-2": "bsd-2-clause",
    "bsd-3": "bsd-3-clause",
    "boost-1.0": "bsl-1.0",
    "c-uda-1.0": "c-uda",
    "cc0": "cc0-1.0",
    "cc-zero": "cc0-1.0",
    "etalab-open-2.0": "etalab-2.0",
    "gfdl-1.3": "gfdl",
    "gplv2": "gpl-2.0",
    "gpl-2": "gpl-2.0",
    "gplv3": "gpl-3.0",
    "gpl-3": "gpl-3.0",
    "lgplv3": "lgpl-3.0",
    "lgpl-3": "lgpl-3.0",
    "agplv3": "agpl-3.0",
    "agpl-3": "agpl-3.0",
    "lgpllr": "lgpl-lr",
    "llama-2": "llama2",
    "llama-3": "llama3",
    "llama-3.1": "llama3.1",
    "llama-3.2": "llama3.2",
    "llama-3.3": "llama3.3",
    "llama-4": "llama4",
    "mpl-2": "mpl-2.0",
    "odbl-1.0": "odbl",
    "odc-by-1.0": "odc-by",
    "pddl-1.0": "pddl",
}
# What does not tell one licence from another, at the ends of its name or before its version.
PADDING = re.compile(
    r"^the-|^gnu-|-(only|or-later)$|-licen[cs]ed?(?=-|$)|-version(?=-)|(?<=-)v(?=\d)"
)


@dataclass(frozen=True, slots=True)
class Licence:
    """One licence of the catalogue's table, by the Hub's id; `notes` is what else it asks.

    `use_limits` is whether it forbids fields of use, `output_limits` whether it has terms for what
    the model gives or for models trained on that. None is unknown throughout.
    """

    id: str
    name: str
    commercial: bool | None
    derivatives: bool | None
    share_alike: bool | None
    notice: bool | None
    url: str
    notes: str = ""
    use_limits: bool | None = None
    output_limits: bool | None = None

    @property
    def passes_on(self) -> bool:
        """Whether what is made from a model must have this very licence, or terms out of it."""
        limits = self.use_limits or self.output_limits
        return self.share_alike is not False or bool(limits or self.notes)

    @property
    def limits(self) -> tuple[str, ...]:
        """What it is known to limit: "fields of use", "outputs", or both."""
        told = (("fields of use", self.use_limits), ("outputs", self.output_limits))
        return tuple(name for name, limited in told if limited)


def licence_id(said: str, known: Container[str]) -> str:
    """Return the known id of a licence however it is written, or what was said where none is.

    `Apache-2.0`, `apache 2.0` and `Apache License, Version 2.0` are all `apache-2.0`.
    """
    if said in known:
        return said
    name = PADDING.sub("", re.sub(r"[\s_,]+", "-", said.strip().casefold()))
    name = ALIASES.get(name, name)
    return name if name in known else said


def check_chain(model: str, licence: str | None, known: Licence | None) -> None:
    """Raise Refused if an adapter of `model` can't be published under its licence."""
    if not licence:
        raise Refused(
            f"`{model}` has no licence, so nobody may be given what is made from it",
            "ask its owner for one, or adapt another base: `hubtl search --allows derivatives`",
        )
    if known and known.derivatives is False:
        raise Refused(
            f"{known.name} of `{model}` does not allow derived models to be shared",
            "adapt another base: `hubtl search --allows derivatives`",
        )


def chain_licence(
    chain: Sequence[Mapping[str, str | None]], known: Mapping[str, Licence]
) -> str | None:
    """Return the licence of what is made from all models of a chain, its base last.

    That is the licence that asks the most, the base's where several ask the same. Raises Refused
    where one has none or allows no adapters, and where two don't go together: both must be kept by
    what is made, or nobody can tell.
    """
    for made in chain:
        check_chain(str(made["id"]), made["licence"], known.get(made["licence"] or ""))
    models = {str(made["licence"]): str(made["id"]) for made in chain}
    if len(models) < 2:
        return next(iter(models), None)
    table = [known.get(licence) for licence in reversed(models)]
    found = [licence for licence in table if licence is not None]
    found.sort(key=lambda each: (not each.passes_on, each.commercial is not False))
    first = found[0] if len(found) == len(models) else None
    if first is None or not all(first == each or _may_become(each, first) for each in found):
        told = " and ".join(f"{licence} of `{model}`" for licence, model in models.items())
        raise Refused(
            f"the licences {told} are not known to go together in one model",
            "adapt the base itself, or an adapter whose licence is that of its base",
        )
    return first.id


def _may_become(given: Licence, made: Licence) -> bool:
    """Return whether a part under one licence may be given on as a whole under another."""
    limited = given.commercial is not True and made.commercial is True
    return not given.passes_on and not limited
