"""A model's kin on the screen: the tree it stands in, its results, its versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

import hubtl
from hubtl.registry.comparing import figure

from . import screen
from .side_by_side import marked, result, say_meaning

HOW = {"finetune": "fine-tune", "merge": "merge", "quantized": "quantized"}
MOST_PAST = 10


def say_family(entry: hubtl.Entry, family: hubtl.Family) -> None:
    """Print what a model was made from and what was made from it, its results, its versions."""
    if family.lineage or family.children or family.ancestors:
        _say_tree(entry, family)
    if family.more:
        screen.say(f"and {family.more:,} more: `hubtl search --base {entry.id}`")
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
    if family.past:
        _say_past(family.past)
    if family.lineage or family.children or family.ancestors or family.past:
        screen.say()
    for told in family.not_known:
        screen.note(told)


def _say_tree(entry: hubtl.Entry, family: hubtl.Family) -> None:
    judged = [*([entry] if entry.kind == "adapter" else []), *family.children]
    marks = marked(judged)
    rows = []
    how: str | None = None
    above = [*reversed(family.ancestors), *reversed(family.lineage)]
    for depth, made in enumerate(above):
        at = f" at {made['revision'][:7]}" if made["revision"] else ""
        rows.append((f"{_branch(depth)}{made['id']}{_made(how)}{at}", "", ""))
        how = made.get("relation")
    depth = len(above)
    here = f"{entry.id}{_made(entry.relation)} at {str(entry.revision)[:7]}"
    rows.append((_branch(depth) + here, *_reached(entry, marks)))
    below = "   " * depth
    for shape, child in _drawn(entry.id, family.children):
        name = f"{below}{shape}{child.id}{_made(child.relation)}"
        rows.append((name, *_reached(child, marks)))
    screen.say()
    columns = 3 if marks else 2  # where nothing compares, there is nothing to mark
    screen.table(("LINEAGE", "RESULT", "TEST")[:columns], [row[:columns] for row in rows])
    say_meaning(judged, marks)


def _branch(depth: int) -> str:
    return "   " * (depth - 1) + "└─ " if depth else ""


def _made(relation: str | None) -> str:
    """Return how a model was made from that above it, unless it is an adapter of it."""
    return f" ({HOW[relation]})" if relation in HOW else ""


def _drawn(parent: str, children: Sequence[hubtl.Entry]) -> Iterator[tuple[str, hubtl.Entry]]:
    """Yield each of the children with the branch that it hangs on, those made upon it after it."""
    ids = {child.id.casefold() for child in children}
    below: dict[str, list[hubtl.Entry]] = {}
    for child in children:
        named = [each.casefold() for each in child.parents]
        known = (each for each in named if each in ids and each != child.id.casefold())
        below.setdefault(next(known, parent.casefold()), []).append(child)
    seen: set[str] = set()
    yield from _hung(below.get(parent.casefold(), ()), below, seen)
    # Those that each say they were made upon the other.
    yield from _hung(children, {}, seen)


def _hung(
    own: Sequence[hubtl.Entry], below: Mapping[str, Sequence[hubtl.Entry]], seen: set[str]
) -> Iterator[tuple[str, hubtl.Entry]]:
    fresh = [child for child in own if child.id not in seen]
    seen |= {child.id for child in fresh}
    for number, child in enumerate(fresh, 1):
        last = number == len(fresh)
        yield ("└─ " if last else "├─ "), child
        for shape, each in _hung(below.get(child.id.casefold(), ()), below, seen):
            yield ("   " if last else "│  ") + shape, each


def _reached(entry: hubtl.Entry, marks: dict[str, str]) -> tuple[str, str]:
    if entry.kind != "adapter":
        return "", ""
    return f"{entry.main_metric or ''} {result(entry)}".strip(), marks.get(entry.id, "–")


def _say_past(past: Sequence[hubtl.Past]) -> None:
    screen.say()
    screen.say("What your team reached with this base:")
    screen.table(
        ("TASK", "DOMAIN", "RECIPE", "RESULT", "OVER BASELINE", "ROWS", "DATE", "WHERE"),
        [
            (
                each.task,
                each.domain or "–",
                each.recipe or "–",
                f"{each.metric} {screen.interval(asdict(each), each.metric)}"
                if each.low is not None
                else f"{each.metric} {figure(each.metric, each.value)}",
                "unknown" if each.gain is None else figure(each.metric, each.gain, "+"),
                "unknown" if each.rows is None else str(each.rows),
                each.date or "unknown",
                each.where,
            )
            for each in past[:MOST_PAST]
        ],
        less=("RECIPE", "OVER BASELINE", "DOMAIN", "WHERE", "ROWS", "DATE"),
    )
    if len(past) > MOST_PAST:
        screen.say(f"and {len(past) - MOST_PAST:,} more: see --json")


def _say_results(family: hubtl.Family) -> None:
    names = list(family.results)
    rows = [
        ("this adapter", *(screen.interval(dict(family.results[name]), name) for name in names))
    ]
    for rival, values in family.baselines.items():
        rows.append((rival, *(figure(name, values[name]) for name in names)))
    screen.say()
    screen.table(("", *(name.upper() for name in names)), rows)
    for sentence in family.gain_and_retention:
        screen.say(sentence)
