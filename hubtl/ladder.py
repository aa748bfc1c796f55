"""The recipes that `auto` may choose from, the cheapest first."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

from .plugins.hookspecs import Method, Task
from .plugins.manager import plugins
from .registry.errors import BadOption, unknown
from .registry.recipe import Recipe
from .transfer.goal import Goal

AUTO = "auto"
LADDER = ("probe", "fewshot", "top", "lora", "norm", "full")
WITHOUT_CLASSES = ("lora", "norm", "full")  # where there is no head to begin with


@dataclass(frozen=True, slots=True)
class Rung:
    """A recipe with all its options set, and the method that it is over."""

    recipe: Recipe
    method: Method


def rung(name: str, task: Task, options: Mapping[str, str]) -> Rung:
    """Return a recipe by its name or file, with `--set` options; raises UnknownName, BadOption."""
    offered = plugins()
    recipe = offered.recipe(name)
    method = offered.method(recipe.method)
    recipe = recipe.over({**method.options, **task.options}).with_options(options)
    recipe.check_words({**getattr(method, "words", {}), **task.words})  # a plugin may be of before
    return Rung(recipe, method)


def rungs(asked: str, task: Task, options: Mapping[str, str]) -> tuple[Rung, ...]:
    """Return the recipe that was asked for, or for `auto` those that there are to choose from.

    Raises UnknownName, or BadOption for an option that not all of them have.
    """
    known = (*plugins().recipes, AUTO)
    if asked not in known and not asked.endswith((".yaml", ".yml")):
        raise unknown("recipe", asked, known, "see `hubtl recipes`")
    if asked != AUTO:
        return (rung(asked, task, options),)
    try:
        names = [name for name in LADDER if name in plugins().recipes]
        return tuple(rung(name, task, options) for name in names)
    except BadOption as error:
        raise BadOption(
            error.message,
            f"`--recipe {AUTO}` takes what every recipe takes; or name one with --recipe",
        ) from error


def refusal(found: Rung, goal: Goal) -> tuple[str, str]:
    """Return why a recipe can't learn such labels, and what to do; empty if it can."""
    if goal.given and getattr(found.method, "linear", False):
        why = f"`{found.recipe.name}` fits a head, and these labels are learnt without one"
        return why, "--recipe lora"
    if goal.given and found.recipe.options.get("layers") == "probe":
        return "`layers=probe`: no head is fitted by which layers are told", "--set layers=auto"
    if goal.compared and found.recipe.options.get("rows") == 1:
        return "`rows=1`: a row is learnt by how it compares with others", "--set rows=16"
    if (goal.ordered or not goal.whole) and getattr(found.method, "contrasts", False):
        labels = "labels are numbers" if goal.ordered else "parts of rows have labels"
        why = f"`{found.recipe.name}` draws whole rows of a class together, and {labels}"
        return why, "--recipe probe, or --recipe lora"
    if goal.ordered and found.recipe.options.get("class_weights", "none") != "none":
        why = "`class_weights`: labels are numbers, and no class is rare"
        return why, "leave it out"
    return "", ""


def others(task: Task, options: Mapping[str, str], classes: int) -> tuple[Rung, ...]:
    """Return the recipes that `auto` knows nothing of, as far as they take these options."""
    found = []
    for name in plugins().recipes:
        if name not in LADDER:
            with contextlib.suppress(BadOption):
                found.append(rung(name, task, options))
    return tuple(each for each in found if classes or not getattr(each.method, "linear", False))


def climbable(found: tuple[Rung, ...], classes: int, goal: Goal) -> tuple[Rung, ...]:
    """Return those of several recipes that can be begun, given how many classes there are."""
    if len(found) == 1:
        return found
    if classes:
        return tuple(each for each in found if not refusal(each, goal)[0])
    return tuple(each for each in found if each.recipe.name in WITHOUT_CLASSES)
