"""The catalogue: curated base models by domain, read from `catalog.yaml`.

The file that ships with hubtl is checked by a test, so reading it stays quick. A team's own file is
laid over it: what has the same id counts as the team says, and `hidden` are ids that it leaves out.
It is checked when it is read, and a mistake in it is told by line and field.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .entry import Conversion, Entry, File, Package
from .errors import BadOption, UnknownName, nearest
from .licences import Licence
from .places import setting, team_catalogue
from .trust import SAFE

CATALOG = Path(__file__).resolve().parent.parent / "catalog.yaml"
OURS = "hubtl"
SCHEMA = Path(__file__).resolve().parent / "catalog.schema.json"
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The entries, the domains and the licences that hubtl knows without asking anybody.

    `origins` tells the file of entries that are not hubtl's own, by their folded ids.
    """

    entries: tuple[Entry, ...]
    domains: Mapping[str, str]
    licences: Mapping[str, Licence]
    date: str
    hidden: tuple[str, ...] = ()
    alone: bool = False
    origins: Mapping[str, str] = field(default_factory=dict)

    def origin(self, model: str) -> str:
        """Return where an entry is from: `hubtl`, or the file of a team's catalogue."""
        return self.origins.get(model.casefold(), OURS)

    def laid_over(self, other: Catalogue, origin: str) -> Catalogue:
        """Return another catalogue with what this one has in place of its own, or after it."""
        own = {entry.id.casefold(): entry for entry in self.entries}
        hidden = {model.casefold() for model in self.hidden}
        below = [entry for entry in other.entries if entry.id.casefold() not in hidden - own.keys()]
        there = {entry.id.casefold() for entry in below}
        new = [entry for name, entry in own.items() if name not in there]
        return Catalogue(
            (*(own.get(entry.id.casefold(), entry) for entry in below), *new),
            {**other.domains, **self.domains},
            {**other.licences, **self.licences},
            max(self.date, other.date),
            self.hidden,
            origins=dict.fromkeys(own, origin),
        )

    def entry(self, model: str) -> Entry | None:
        """Return the entry of that id, whatever its case, or None."""
        folded = model.casefold()
        return next((entry for entry in self.entries if entry.id.casefold() == folded), None)

    def check_domain(self, name: str) -> None:
        """Raise UnknownName unless `name` is in the vocabulary of domains."""
        if name not in self.domains:
            close = nearest(name, self.domains)
            hint = f"did you mean `{close}`? " if close else ""
            raise UnknownName(
                f"`{name}` is not a domain of the catalogue",
                f"{hint}see `hubtl catalog --domains`",
            )


@functools.cache
def catalogue() -> Catalogue:
    """Return hubtl's catalogue, with the team's laid over it where there is one."""
    path = team_catalogue()
    return read_catalogue(path) if setting("catalog") or path.is_file() else built_in()


@functools.cache
def built_in() -> Catalogue:
    """Return the catalogue that ships with hubtl."""
    return load(CATALOG.read_text(encoding="utf-8"))


def read_catalogue(path: Path) -> Catalogue:
    """Return hubtl's catalogue with a team's file laid over it, or that alone if it says `alone`.

    Raises BadOption with the line and the field of a mistake.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadOption(f"the catalogue `{path}` can't be read", "see `hubtl config`") from error
    below = below_of(text)
    mistakes = list(mistakes_in(text, below))
    if mistakes:
        more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
        raise BadOption(f"{path}, {mistakes[0]}{more}", f"see `hubtl catalog check {path}`")
    own = load(text)
    return own.laid_over(below or Catalogue((), {}, {}, own.date), str(path))


def below_of(text: str) -> Catalogue | None:
    """Return what a team's catalogue is laid over, or None where it stands alone."""
    try:
        read = yaml.load(text, Loader)  # noqa: S506  (a safe loader, in C where there is one)
    except yaml.YAMLError:  # what is wrong with it is told when it is checked
        return built_in()
    return None if isinstance(read, dict) and read.get("alone") is True else built_in()


def load(text: str) -> Catalogue:
    """Return the catalogue that YAML text holds."""
    read = yaml.load(text, Loader)  # noqa: S506  (a safe loader, in C where there is one)
    licences = {
        name: Licence(
            name,
            str(fields.get("name", name)),
            fields.get("commercial"),
            fields.get("derivatives"),
            fields.get("share_alike"),
            fields.get("notice"),
            str(fields.get("url", "")),
            str(fields.get("notes", "")),
            fields.get("use_limits"),
            fields.get("output_limits"),
        )
        for name, fields in read.get("licences", {}).items()
    }
    entries = tuple(_entry(fields) for fields in read.get("models", ()))
    date, hidden = str(read.get("date", "")), tuple(read.get("hidden", ()))
    domains = read.get("domains", {})
    return Catalogue(entries, domains, licences, date, hidden, read.get("alone") is True)


def mistakes_in(text: str, below: Catalogue | None = None) -> Iterable[str]:
    """Yield what is wrong with a catalogue's text, as `line N, FIELD: what`.

    One that is laid over another, `below`, needs only the sections that it has.
    """
    import jsonschema

    try:
        tree = yaml.compose(text, yaml.SafeLoader)
        read = json.loads(json.dumps(yaml.load(text, yaml.SafeLoader), default=str))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        yield f"line {mark.line + 1 if mark else 1}: {getattr(error, 'problem', error)}"
        return
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    if below:
        schema["required"] = ["version"]
        del schema["properties"]["models"]["minItems"]
    validator = jsonschema.Draft202012Validator(schema)
    for mistake in sorted(
        validator.iter_errors(read), key=lambda error: list(map(str, error.path))
    ):
        path = list(mistake.absolute_path)
        if mistake.validator == "additionalProperties":
            path += [key for key in mistake.instance if key not in mistake.schema["properties"]][:1]
        field = ".".join(map(str, path)) or "the file"
        yield f"line {_line(tree, path)}, {field}: {mistake.message}"
    if isinstance(read, dict):
        domains = {*(read.get("domains") or {}), *(below.domains if below else ())}
        licences = {*(read.get("licences") or {}), *(below.licences if below else ())}
        yield from _broken_references(read, tree, domains, licences)


def _broken_references(
    read: dict[str, Any], tree: yaml.Node | None, domains: set[str], licences: set[str]
) -> Iterable[str]:
    """Yield ids told twice, and domains and licences that the vocabulary lacks."""
    seen: set[str] = set()
    for number, model in enumerate(read.get("models") or []):
        if not isinstance(model, dict):
            continue

        def at(field: str, number: int = number) -> str:
            return f"line {_line(tree, ['models', number, field])}, models.{number}.{field}"

        model_id = str(model.get("id"))
        if model_id.casefold() in seen:
            yield f"{at('id')}: `{model_id}` is there twice"
        seen.add(model_id.casefold())
        for domain in model.get("domains") or []:
            if domain not in domains:
                yield f"{at('domains')}: `{domain}` is not in `domains`"
        if model.get("licence") not in licences:
            yield f"{at('licence')}: `{model.get('licence')}` is not in `licences`"


def _line(node: yaml.Node | None, path: list[str | int]) -> int:
    """Return the line, from 1, of the field at `path`, or of the nearest thing above it."""
    line = node.start_mark.line + 1 if node else 1
    for step in path:
        if isinstance(node, yaml.MappingNode):
            found = next((pair for pair in node.value if pair[0].value == str(step)), None)
            if not found:
                return line
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            line = node.start_mark.line + 1
    return line


def _entry(fields: dict[str, Any]) -> Entry:
    source = fields["source"]
    what = source["what"]
    files = _files(fields.get("files", {}))
    weights = [file.size for path, file in files.items() if path.endswith(".safetensors")]
    return Entry(
        fields["id"],
        fields.get("hub", "hf"),
        tasks=tuple(fields["tasks"]),
        domains=tuple(fields["domains"]),
        languages=tuple(fields["languages"]),
        licence=fields["licence"],
        params=fields.get("parameters"),
        size_bytes=fields.get("size_bytes") or sum(weights) or None,
        revision=fields.get("revision"),
        architecture=fields.get("architecture"),
        tags=tuple(fields.get("tags", ())),
        trust=(SAFE,),  # no others get in
        about=fields["about"],
        source=(what,) if isinstance(what, str) else tuple(what),
        date=str(source["date"]),
        files=files,
        package=_package(fields["package"]) if "package" in fields else None,
    )


def _files(pinned: dict[str, dict[str, Any]]) -> dict[str, File]:
    return {path: File(file["size"], file["sha256"]) for path, file in pinned.items()}


def _package(fields: dict[str, Any]) -> Package:
    made = fields.get("conversion")
    conversion = made and Conversion(**{**made, "sources": _files(made["sources"])})
    told = {"pip": fields["pip"]} if "pip" in fields else {}
    return Package(fields["name"], fields["version"], fields["folder"], conversion, **told)
