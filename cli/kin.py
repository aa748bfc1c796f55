"""A model's kin on the screen: the tree it stands in, its results, its versions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import hubtl

from . import screen
from .side_by_side import marked, result, say_meaning


def say_family(entry: hubtl.Entry, family: hubtl.Family) -> None:
    """Print what a model was made from and what was made from it, its results, its versions."""
    if family.lineage or family.children:
        _say_tree(entry, family)
    if family.base_moved_on:
        base = family.lineage[-1]["id"]
        screen.say(f"adapted from an older revision: {base} is at {str(family.base_now)[:7]} now")
    if family.results:
        _say_results(family)
    if family.versions:
        screen.say()
        screen.table(
            ("VERSION", "COMMIT", "RESULT"),
            [
                (tag, str(at.revision)[:7], f"{at.main_metric or ''} {result(at)}".strip())
                for tag, at in family.versions.items()
            ],
        )
    if family.lineage or family.children:
        screen.say()
    for told in family.not_known:
        screen.note(told)


def _say_tree(entry: hubtl.Entry, family: hubtl.Family) -> None:
    judged = [*([entry] if entry.kind == "adapter" else []), *family.children]
    marks = marked(judged)
    rows = []
    for depth, made in enumerate(reversed(family.lineage)):
        at = f" at {made['revision'][:7]}" if made["revision"] else ""
        rows.append((f"{_branch(depth)}{made['id']}{at}", "", ""))
    depth = len(family.lineage)
    here = f"{entry.id} at {str(entry.revision)[:7]}"
    rows.append((_branch(depth) + here, *_reached(entry, marks)))
    below = "   " * depth
    for shape, child in _drawn(entry.id, family.children):
        rows.append((f"{below}{shape}{child.id}", *_reached(child, marks)))
    screen.say()
    columns = 3 if marks else 2  # where nothing compares, there is nothing to mark
    screen.table(("LINEAGE", "RESULT", "TEST")[:columns], [row[:columns] for row in rows])
    say_meaning(judged, marks)


def _branch(depth: int) -> str:
    return "   " * (depth - 1) + "└─ " if depth else ""


def _drawn(parent: str, children: Sequence[hubtl.Entry]) -> Iterator[tuple[str, hubtl.Entry]]:
    """Yield each of the children with the branch that it hangs on, those made upon it after it."""
    ids = {child.id for child in children}
    own = [c for c in children if c.upon == parent or (c.upon not in ids and c.upon != c.id)]
    seen: set[str] = set()
    yield from _hung(own, children, seen)
    # Those that each say they were made upon the other.
    yield from _hung(children, (), seen)


def _hung(
    own: Sequence[hubtl.Entry], children: Sequence[hubtl.Entry], seen: set[str]
) -> Iterator[tuple[str, hubtl.Entry]]:
    fresh = [child for child in own if child.id not in seen]
    seen |= {child.id for child in fresh}
    for number, child in enumerate(fresh, 1):
        last = number == len(fresh)
        yield ("└─ " if last else "├─ "), child
        upon = [each for each in children if each.upon == child.id]
        for shape, below in _hung(upon, children, seen):
            yield ("   " if last else "│  ") + shape, below


def _reached(entry: hubtl.Entry, marks: dict[str, str]) -> tuple[str, str]:
    if entry.kind != "adapter":
        return "", ""
    return f"{entry.main_metric or ''} {result(entry)}".strip(), marks.get(entry.id, "–")


def _say_results(family: hubtl.Family) -> None:
    names = list(family.results)
    rows = [("this adapter", *(screen.interval(dict(family.results[name])) for name in names))]
    for rival, values in family.baselines.items():
        rows.append((rival, *(f"{values[name]:.3f}" for name in names)))
    screen.say()
    screen.table(("", *(name.upper() for name in names)), rows)
    for sentence in family.gain_and_retention:
        screen.say(sentence)
