"""Load plugins once, gather what they offer by name, and survive those that are broken."""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy

from ..registry.card import Section
from ..registry.errors import BadOption, HubtlError, Refused, Unreachable, unknown
from ..registry.recipe import Recipe
from . import hookspecs
from .hookspecs import Demo, Export, Hub, Method, Scorer, Task
from .installed import installed, installed_version
from .own import BUILT_IN, OWN

if TYPE_CHECKING:
    import typer

OWN_VERSION = "built in"
HOOKS = tuple(name for name, value in vars(hookspecs).items() if hasattr(value, "hubtl_spec"))
Noun = TypeVar("Noun")


@dataclass(frozen=True, slots=True)
class Loaded:
    """One plugin that was loaded, or why it was not."""

    name: str
    version: str
    hooks: tuple[str, ...]
    broken: str = ""


class Plugins:
    """The plugins of this process, and the nouns they registered."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager("hubtl")
        self._manager.add_hookspecs(hookspecs)
        self._loaded: list[Loaded] = []
        self._nouns: dict[str, dict[str, Any]] = {}
        self._turn = threading.RLock()
        for each in installed():
            self._take(each.name, each.version, each.load)

    @property
    def loaded(self) -> list[Loaded]:
        """All plugins: hubtl's own, then those that are installed."""
        for hook in OWN:
            self._impls(hook)
        own = {each.name: each for each in self._loaded if each.version == OWN_VERSION}
        others = [each for each in self._loaded if each.version != OWN_VERSION]
        return [*(own[name] for name in BUILT_IN), *others]

    def _impls(self, hook: str) -> list[Any]:
        """Return who answers a hook: hubtl's own, which are loaded for that, then strangers."""
        with self._turn:
            for name in OWN.get(hook, ()):
                if not self._manager.has_plugin(name):
                    self._take(name, OWN_VERSION, functools.partial(_built_in, name))
        found = getattr(self._manager.hook, hook).get_hookimpls()
        return sorted(found, key=lambda impl: impl.plugin_name not in BUILT_IN)

    def _take(self, name: str, version: str, load: Callable[[], Any]) -> None:
        """Load one plugin. A stranger's may raise anything at all: that is told, and is no stop."""
        if self._manager.has_plugin(name):
            _warn(name, "there is another of that name")
            return
        try:
            if version != OWN_VERSION and name in BUILT_IN:
                raise BadOption(f"hubtl has a plugin `{name}` of its own")
            plugin = load()
            unknown_hooks = self._register(plugin, name)
            if unknown_hooks:
                raise BadOption(f"hubtl has no hook `{unknown_hooks[0]}`")
        except Exception as error:
            if version == OWN_VERSION:
                raise
            if self._manager.has_plugin(name):
                self._manager.unregister(name=name)
            self._leave_out(name, _words(error), version)
            return
        hooks = tuple(h.name for h in self._manager.get_hookcallers(plugin) or [])
        self._loaded.append(Loaded(name, version, hooks))

    def _register(self, plugin: object, name: str) -> list[str]:
        """Register a plugin and return the hooks it marks that hubtl doesn't have."""
        self._manager.register(plugin, name)
        marked = [key for key, value in inspect.getmembers(plugin) if hasattr(value, "hubtl_impl")]
        return [key for key in marked if key not in HOOKS]

    def _leave_out(self, name: str, why: str, version: str = "") -> None:
        """Say that a plugin is broken, and note it in place of what was noted before."""
        before = [each for each in self._loaded if each.name == name]
        self._loaded = [each for each in self._loaded if each.name != name]
        self._loaded.append(Loaded(name, version or (before[0].version if before else ""), (), why))
        _warn(name, why)

    def _gather(self, hook: str) -> dict[str, Any]:
        """Return what all plugins registered by a hook, by name; built-in first."""
        if hook not in self._nouns:
            found: dict[str, Any] = {}
            owners: dict[str, str] = {}
            for impl in self._impls(hook):
                try:
                    offered = list(impl.function())
                    names = [each.name for each in offered]
                except Exception as error:
                    if impl.plugin_name in BUILT_IN:
                        raise
                    self._leave_out(impl.plugin_name, _words(error))
                    continue
                for name, noun in zip(names, offered, strict=True):
                    if name in found:
                        why = f"it offers `{name}`, which `{owners[name]}` has already"
                        self._leave_out(impl.plugin_name, why)
                        break
                    found[name], owners[name] = noun, impl.plugin_name
            self._nouns[hook] = found
        return self._nouns[hook]

    def _one(self, hook: str, noun: str, name: str, see: str) -> Any:
        found = self._gather(hook)
        if name not in found:
            raise unknown(noun, name, found, see)
        return found[name]

    @property
    def hubs(self) -> Mapping[str, Hub]:
        """All hubs by name."""
        return self._gather("register_hubs")

    @property
    def tasks(self) -> Mapping[str, Task]:
        """All tasks by name."""
        return self._gather("register_tasks")

    @property
    def methods(self) -> Mapping[str, Method]:
        """All methods by name."""
        return self._gather("register_methods")

    @property
    def recipes(self) -> Mapping[str, Recipe]:
        """All recipes by name."""
        return self._gather("register_recipes")

    @property
    def scorers(self) -> Mapping[str, Scorer]:
        """All scorers by name."""
        return self._gather("register_scorers")

    @property
    def demos(self) -> Mapping[str, Demo]:
        """All demos by name."""
        return self._gather("register_demos")

    @property
    def exports(self) -> Mapping[str, Export]:
        """All forms that adapted models can be written in, by name."""
        return self._gather("register_exports")

    def task(self, name: str) -> Task:
        """Return one task; raises UnknownName, or Unreachable where a package it needs isn't."""
        task: Task = self._one("register_tasks", "task", name, "see `hubtl plugins`")
        _check_needs(name, getattr(task, "needs", {}))  # a plugin may be of before
        return task

    def export(self, name: str) -> Export:
        """Return one form; raises UnknownName, or Unreachable where a package it needs isn't."""
        form: Export = self._one("register_exports", "format", name, "see `hubtl plugins`")
        _check_needs(f"export to {name}", form.needs)
        return form

    def method(self, name: str) -> Method:
        """Return one method; raises UnknownName."""
        method: Method = self._one("register_methods", "method", name, "see `hubtl plugins`")
        return method

    def scorer(self, name: str) -> Scorer:
        """Return one scorer; raises UnknownName."""
        scorer: Scorer = self._one("register_scorers", "scorer", name, "see `hubtl plugins`")
        return scorer

    def demo(self, name: str | None) -> Demo:
        """Return one demo, the first where none is named; raises UnknownName."""
        name = next(iter(self.demos)) if name is None else name
        demo: Demo = self._one("register_demos", "demo", name, "see `hubtl plugins`")
        return demo

    def recipe(self, name: str) -> Recipe:
        """Return one recipe by name or from a YAML file; raises UnknownName or BadOption."""
        if name.endswith((".yaml", ".yml")) and Path(name).is_file():
            from ..registry.recipe import read_recipe

            return read_recipe(Path(name))
        recipe: Recipe = self._one("register_recipes", "recipe", name, "see `hubtl recipes`")
        return recipe

    def refusals(self, **about: Any) -> list[HubtlError]:
        """Return all that `before_publish` hooks say against publishing, not just the first.

        A gate that fails to look says nothing for the adapter, so that is a refusal too.
        """
        said = []
        for impl in self._impls("before_publish"):
            try:
                impl.function(**{name: about[name] for name in impl.argnames})
            except HubtlError as refusal:
                said.append(refusal)
            except Exception as error:
                why = f"the gate of plugin `{impl.plugin_name}` could not look: {_words(error)}"
                said.append(Refused(why, "tell its author, or leave it out by HUBTL_PLUGINS="))
        return said

    def sections(self, folder: Path) -> list[Section]:
        """Return the sections that plugins add to a folder's card."""
        return [
            section for found in self._each("card_sections", folder=folder) for section in found
        ]

    def add_commands(self, app: typer.Typer, own: Iterable[str]) -> None:
        """Let plugins add their commands to the command line, none by a name that is there.

        `own` are the names of hubtl's.
        """
        import typer.main

        names = set(own)
        for impl in self._impls("register_commands"):
            added = typer.Typer()
            try:
                impl.function(**dict.fromkeys(impl.argnames, added))
                theirs = set(typer.main.get_group(added).commands)
                if names & theirs:
                    raise BadOption(f"it adds the command `{min(names & theirs)}`, which is there")
            except Exception as error:
                self._leave_out(impl.plugin_name, _words(error))
                continue
            names |= theirs
            app.registered_commands += added.registered_commands
            app.registered_groups += added.registered_groups

    def _each(self, hook: str, **about: Any) -> Iterator[list[Any]]:
        """Call a hook of every plugin; one that fails is told, and is no stop."""
        for impl in self._impls(hook):
            try:
                result = impl.function(**{name: about[name] for name in impl.argnames})
                yield list(result or ())
            except Exception as error:
                self._leave_out(impl.plugin_name, _words(error))


@functools.cache
def plugins() -> Plugins:
    """Return the plugins, loaded at the first call."""
    return Plugins()


def _check_needs(what: str, needs: Mapping[str, str]) -> None:
    """Raise Unreachable that names the first package which is needed and not installed."""
    for package, extra in needs.items():
        if installed_version(package) is None:
            why = f"{what} needs {package}, which is not installed"
            raise Unreachable(why, f"pip install '{extra}'")


def _warn(name: str, why: str) -> None:
    print(f"warning: plugin `{name}` was not loaded: {why}", file=sys.stderr)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _built_in(name: str) -> ModuleType:
    return importlib.import_module(f"{__package__}.{name}")
