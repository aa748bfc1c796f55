"""Our contenders: what `hubtl adapt --recipe NAME` does, and a bare forward pass."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .metering import Metering

if TYPE_CHECKING:
    from hubtl.transfer.split import Example
    from hubtl.transfer.trunk import Shelf

SETTINGS = {"top 1 after top": {"layers": "1"}}  # its cut is above the one that is kept


def ours(
    name: str, task: str, rows: dict[str, Any], base: Path, shelf: Path, options: dict[str, str]
) -> dict[str, Any]:
    """Adapt as `hubtl adapt --recipe NAME` does, and return what it took and gave."""
    from hubtl.transfer.split import Example

    options = {**options, **SETTINGS.get(name, {})}
    seed = int(options.pop("seed", 0))
    name = name.split()[0]
    if name == "forward":
        adapting = Adapting.of("probe", task, base, rows["labels"], options, seed)
        return bare_forward(adapting.network, [each for each, _ in rows["train"]])
    adapting = Adapting.of(name, task, base, rows["labels"], options, seed)
    timed = timed_shelf(shelf)
    train = [Example(str(n), each, label) for n, (each, label) in enumerate(rows["train"])]
    with Metering() as metering:
        how = adapting.learn(train, timed)
    found = adapting.predicted([each for each, _ in rows["test"]])
    right = sum(a == b for a, (_, b) in zip(found, rows["test"], strict=True))
    said = {"accuracy": right / len(found), "trunk_cpu": timed.spent, "how": how}
    return {**metering.taken(), **said}


@dataclass(frozen=True, slots=True)
class Adapting:
    """A fresh network, and the recipe by which it is to be adapted."""

    network: Any
    method: Any
    options: Mapping[str, Any]
    labels: Sequence[str]
    seed: int

    @classmethod
    def of(
        cls,
        name: str,
        task: str,
        base: Path,
        labels: Sequence[str],
        options: Mapping[str, str],
        seed: int,
        known: tuple[str, str] | None = None,
    ) -> Adapting:
        """Return what `hubtl adapt TASK --recipe NAME --set ...` would begin with.

        `known` are the base's id and revision, by which a shelf tells bases apart.
        """
        import torch

        from hubtl.plugins.manager import plugins
        from hubtl.registry.entry import Entry
        from hubtl.transfer.quiet import quiet_libraries

        offered = plugins()
        recipe, of = offered.recipe(name), offered.task(task)
        method = offered.method(recipe.method)
        chosen = recipe.over({**method.options, **of.options}).with_options(options).options
        about = {name: chosen[name] for name in of.options}
        with quiet_libraries():
            torch.manual_seed(seed)
            id_, revision = known or ("bench/base", hashlib.sha1(str(base).encode()).hexdigest())
            entry = Entry(id_, revision=revision)
            network = of.network(base, entry, labels, "cpu", about)
        return cls(network, method, chosen, labels, seed)

    def learn(self, rows: Sequence[Example], shelf: Shelf) -> str:
        """Adapt the network to rows, and return how that went."""
        from hubtl.transfer.split import hold_out
        from hubtl.transfer.start import Session
        from hubtl.transfer.views import viewed

        train, validation = rows, list[Any]()
        if self.method.validates:
            train, validation = map(list, hold_out(rows, 0.15, self.seed))
        session = Session(train, validation, self.labels, self.seed, shelf)
        learnt = self.method.adapt(self.network, self.options, viewed(session, self.network))
        return str(learnt.how)

    def predicted(self, inputs: Sequence[str]) -> list[str]:
        """Return the label of each input."""
        import torch

        network, found = self.network, [""] * len(inputs)
        network.body.eval()
        with torch.inference_mode():
            for numbers in grouped(network, inputs):
                batch = network.collate([inputs[number] for number in numbers])
                best = network.head(network.features(batch)).argmax(1).tolist()
                for number, label in zip(numbers, best, strict=True):
                    found[number] = self.labels[label]
        return found


def timed_shelf(folder: Path) -> Any:
    """Return a shelf that knows, as `spent`, the CPU seconds that making trunks took."""
    from hubtl.transfer.trunk import Shelf

    class Timed(Shelf):
        spent = 0.0

        def make(self, *arguments: Any, **named: Any) -> Any:
            began = time.process_time()
            try:
                return super().make(*arguments, **named)
            finally:
                type(self).spent += time.process_time() - began

    return Timed(folder, 10**10)


def bare_forward(network: Any, inputs: list[str]) -> dict[str, Any]:
    """Run the base once over all rows, length-sorted, and keep nothing."""
    import torch

    network.body.eval()
    with Metering() as metering, torch.inference_mode():
        for numbers in grouped(network, inputs):
            network.features(network.collate([inputs[number] for number in numbers]))
    return metering.taken()


def grouped(network: Any, inputs: Sequence[str]) -> Any:
    """Yield the numbers of inputs of about one length, as the engine divides them."""
    from hubtl.transfer.network import batches
    from hubtl.transfer.trunk import POSITIONS, ROWS

    return batches(network.sizes(inputs), ROWS, POSITIONS)
