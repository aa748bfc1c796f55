"""Judge every score, prior and the ensemble by published tables of fine-tuned models.

    python benchmarks/rank_tables.py [TABLE ...] [--weights]

Each table in benchmarks/tables/ has what models reach on several sets after fine-tuning, some also
what scorers said of them. Prints weighted Kendall's tau (the mean over sets) and regret: by how
many points the first choice misses the best model, in the mean and at worst. Past results are
always those of the other sets; weights are never learnt on the set that they are judged on.
`--weights` chooses the fixed weights of priors and past results anew, by all tables but one, and
prints what they lose on that one beside what those in use do.
"""

import argparse
import csv
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import weightedtau

from hubtl.transfer.ensemble import MOST_PAST, PAST, PRIORS, Past, combine, fixed, past_standing
from hubtl.transfer.weighing import learnt

TABLES = Path(__file__).parent / "tables"
NAMES = ("cnn", "mixed", "glue", "encoders", "vit", "self_supervised", "parc")
# What hubtl has scorers for; where a table has the H-score both ways, the shrunk one is ours.
OURS = ("probe", "neighbours", "logme", "h_score_shrunk", "h_score", "nleep")
STATIC = {"benchmark": "imagenet", "parameters": "parameters"}
FEW = (1, 3)  # past sets, where there are fewer than the table has
REPEATS = 20
GRID = [
    {"parameters": p, "benchmark": b, PAST: past}
    for p, b, past in itertools.product(
        (0.0, 0.25, 0.5, 1.0), (0.5, 1.0, 2.0), (2.0, 3.0, 4.0, 6.0)
    )
]

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Task:
    """One set: what each model reaches, and what scores and priors say of it."""

    name: str
    accuracy: Values
    scores: dict[str, Values]
    priors: dict[str, Values]

    def ours(self) -> dict[str, Values]:
        """Return the scores that hubtl can make, where the set has them."""
        found = {name: self.scores[name] for name in OURS if name in self.scores}
        if "h_score_shrunk" in found:
            found.pop("h_score", None)
        return {name: values for name, values in found.items() if not np.isnan(values).all()}

    def past(self) -> Past:
        """Return the set as a result of the past."""
        return Past(self.accuracy, self.ours())


def number(cell: str) -> float:
    """Return a cell's number, NaN where it is empty."""
    return float(cell) if cell else float("nan")


def read(name: str) -> list[Task]:
    """Return the sets of a table, with all models of the table in the same order in each."""
    with (TABLES / "models.csv").open(encoding="utf-8", newline="") as file:
        known = {row["model"]: row for row in csv.DictReader(file)}
    with (TABLES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    models = list(dict.fromkeys(row["model"] for row in rows))
    columns = [column for column in rows[0] if column not in ("set", "model", "accuracy")]
    # A model that was first tuned on another set (resnet50/cub200) is as large as it was before.
    about = [known.get(model.partition("/")[0], {}) for model in models]
    priors = {
        prior: np.array([number(facts.get(column, "")) for facts in about])
        for prior, column in STATIC.items()
    }
    found = []
    for each in dict.fromkeys(row["set"] for row in rows):
        of = {row["model"]: row for row in rows if row["set"] == each}

        def values(column: str, of: dict[str, dict[str, str]] = of) -> Values:
            return np.array([number(of.get(model, {}).get(column, "")) for model in models])

        scores = {column: values(column) for column in columns}
        found.append(Task(each, values("accuracy"), scores, priors))
    return found


def judged(score: Values, accuracy: Values) -> tuple[float, float]:
    """Return the weighted tau of a score, and the regret of its first choice."""
    told = ~np.isnan(score) & ~np.isnan(accuracy)
    score, accuracy = score[told], accuracy[told]
    tau = float(np.nan_to_num(weightedtau(score, accuracy).statistic))
    return tau, float(accuracy.max() - accuracy[score.argmax()])


def line(name: str, results: Iterable[tuple[float, float]]) -> None:
    """Print the mean tau, and the mean and the worst regret, over sets."""
    table = np.array(list(results))
    if len(table):
        tau, regret = table[:, 0].mean(), table[:, 1]
        print(f"  {name:34}{tau:7.3f}{regret.mean():9.2f}{regret.max():8.2f}{len(table):6}")


def some(values: Values) -> bool:
    """Return whether a score is there for a set."""
    return bool((~np.isnan(values)).sum() > 1)


def each(tasks: list[Task], of: Callable[[Task, list[Task]], Values]) -> list[tuple[float, float]]:
    """Return how a way to rank is judged on each set, given the others."""
    return [judged(of(task, [o for o in tasks if o is not task]), task.accuracy) for task in tasks]


def ensemble(task: Task, others: list[Task], learning: bool = False) -> Values:
    """Return the ensemble's score of each model of a set, the others being its past."""
    ours, past = task.ours(), [other.past() for other in others]
    weights = learnt(past, task.priors) if learning else None
    return combine(ours, task.priors, past, weights).score


def few(
    tasks: list[Task], count: int, of: Callable[[Task, list[Task]], Values]
) -> Iterable[tuple[float, float]]:
    """Yield how a way to rank is judged where only some other sets are known, drawn again."""
    dice = np.random.default_rng(0)
    for _ in range(REPEATS):
        yield from each(
            tasks,
            lambda task, others: of(
                task, [others[n] for n in dice.choice(len(others), count, replace=False)]
            ),
        )


def past_alone(task: Task, others: list[Task]) -> Values:
    """Return how models stand by other sets; one that never ran is in the middle."""
    return np.nan_to_num(past_standing([other.accuracy for other in others])[0])


def show(name: str) -> None:
    """Print a table's judgement."""
    tasks = read(name)
    scored = [task for task in tasks if task.ours()]
    print(f"{name}: {len(tasks[0].accuracy)} models, {len(tasks)} sets")
    print(f"  {'':34}{'tau':>7}{'regret':>9}{'worst':>8}{'sets':>6}")
    chance = [float(np.nanmax(t.accuracy) - np.nanmean(t.accuracy)) for t in tasks]
    line("any model", [(0.0, regret) for regret in chance])
    for column in tasks[0].scores:
        having = [task for task in tasks if some(task.scores[column])]
        line(column, [judged(task.scores[column], task.accuracy) for task in having])
    for prior, values in tasks[0].priors.items():
        if some(values):
            line(prior, [judged(values, task.accuracy) for task in tasks])
    line("past: results on the other sets", each(tasks, past_alone))
    if scored and len(scored) < len(tasks):
        line(
            "past, on sets that have scores",
            [judged(past_alone(t, [o for o in tasks if o is not t]), t.accuracy) for t in scored],
        )
    judged_on = scored or tasks
    if scored:
        line("ensemble of scores", each(scored, lambda t, _: combine(t.ours(), {}).score))
    if any(some(values) for values in tasks[0].priors.values()):
        line("ensemble without past", each(judged_on, lambda t, _: ensemble(t, [])))
    line("ensemble", each(judged_on, ensemble))
    if scored:
        line("ensemble, learnt weights", each(judged_on, lambda t, o: ensemble(t, o, True)))
    for count in FEW:
        line(f"past, {count} other sets", few(judged_on, count, past_alone))
        line(f"ensemble, {count} other sets", few(judged_on, count, ensemble))


def lost(tasks: list[Task], weights: dict[str, float]) -> float:
    """Return the regret under weights, as a share of any model's: no past, 1, 3 and all sets."""

    def weighed(task: Task, others: list[Task]) -> Values:
        ours = task.ours()
        past = [other.past() for other in others]
        return combine(ours, task.priors, past, fixed(ours, task.priors) | weights).score

    dice = np.random.default_rng(0)
    shares = []
    for number, task in enumerate(tasks):
        others = [other for place, other in enumerate(tasks) if place != number]
        chance = float(np.nanmax(task.accuracy) - np.nanmean(task.accuracy))
        for count in (0, *FEW, len(others)):
            some = [others[n] for n in dice.choice(len(others), count, replace=False)]
            shares.append(judged(weighed(task, some), task.accuracy)[1] / chance)
    return float(np.mean(shares))


def show_weights(names: Iterable[str]) -> None:
    """Print for each table what weights chosen by all others lose on it, and those in use."""
    told = {name: read(name) for name in names}
    table = {name: [lost(tasks, weights) for weights in GRID] for name, tasks in told.items()}
    used = GRID.index({**PRIORS, PAST: MOST_PAST})
    print("regret as a share of any model's, by weights chosen on the other tables and in use")
    for name in told:
        others = np.mean([table[other] for other in told if other != name], axis=0)
        chosen = int(np.argmin(others))
        told_of = " ".join(f"{part} {weight:g}" for part, weight in GRID[chosen].items())
        print(f"  {name:18}{table[name][chosen]:7.3f}{table[name][used]:9.3f}   {told_of}")
    means = np.mean(list(table.values()), axis=0)
    print(f"  of all weights on all tables: {means.min():.3f} to {means.max():.3f}, ", end="")
    print(f"in use {means[used]:.3f}")


def main() -> None:
    """Print the judgement of each table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", default=NAMES, metavar="TABLE")
    parser.add_argument("--weights", action="store_true")
    asked = parser.parse_args()
    if asked.weights:
        show_weights(asked.tables)
        return
    for name in asked.tables:
        show(name)


if __name__ == "__main__":
    main()
