"""Train what is trainable in a network: AdamW, a lesson a step, the best epoch kept.

All that a step depends on is in a checkpoint, so a run that was killed goes on to the same end.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .checkpoint import Checkpoint, State
from .compared import Compared
from .feed import Rows
from .layers import still_modules
from .lesson import EachRow, Lesson, Schedule
from .meter import Meter
from .network import Network
from .progress import Progress, silent
from .rates import share_of_peak, weight_groups

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Fitted:
    """Which epoch was best, and the loss on validation rows there, in nats, if there were any.

    `losses` are of all epochs, the first before training, on validation or on training rows;
    `taught` is the mean loss of each epoch's batches, each before the step that it led to.
    """

    best_epoch: int
    epochs: int
    validated: float | None
    losses: tuple[float, ...]
    taught: tuple[float, ...] = ()

    @property
    def curves(self) -> dict[str, Any]:
        """The losses on rows to train on and on validation rows, none where there were none."""
        judged = [] if self.validated is None else list(self.losses)
        best = self.best_epoch
        return {"training": list(self.taught), "validation": judged, "best_epoch": best}


def never(steps: int) -> bool:
    """Return that training is not to stop before its end."""
    return False


def fit(
    network: Network,
    train: Rows,
    validation: Rows | None,
    schedule: Schedule,
    *,
    seed: int,
    progress: Progress = silent,
    checkpoint: Checkpoint | None = None,
    stop: Callable[[int], bool] = never,
    meter: Meter | None = None,
    lesson: Lesson | None = None,
) -> Fitted:
    """Train the network in place and return how it went; the best epoch's weights stay.

    Epoch 0 is the network as it came, so training never leaves it worse on validation rows than it
    found it. With no validation rows the last epoch is kept, unless it does worse than epoch 0 on
    the rows it was trained on: then the training went astray, and epoch 0 is kept. `stop` is asked
    after each step, with the number of steps done, whether to end there. The lesson is that of each
    row by itself, or among others where the goal compares, unless another is given.
    """
    if lesson is None:
        kind = Compared if train.goal.compared else EachRow
        lesson = kind(network, train, validation, schedule, seed)
    with train.goal.even(network.head):
        run = _Run(network, lesson, bool(validation), schedule, seed, meter or Meter())
        kept = checkpoint.load() if checkpoint else None
        if kept:
            run.restore(kept)
        else:
            run.judge()
        while not run.ended:
            run.step()
            told = f"training, epoch {run.epoch} of at most {schedule.epochs}"
            progress(told, run.steps, run.most)
            if not run.ended and stop(run.steps):
                run.stop()
            if checkpoint and (checkpoint.due or run.ended):
                checkpoint.keep(run.state())
        return run.finish()


class _Run:
    """One training, a step at a time."""

    def __init__(
        self,
        network: Network,
        lesson: Lesson,
        validates: bool,
        schedule: Schedule,
        seed: int,
        meter: Meter,
    ) -> None:
        import torch

        torch.manual_seed(seed)
        self.lesson, self.validates = lesson, validates
        self.schedule, self.meter = schedule, meter
        self.on_gpu = network.device.type == "cuda"
        self.modules = torch.nn.ModuleList([network.body, network.head])
        self.still = still_modules(network.body)
        groups = weight_groups(network, schedule.rate, schedule.layer_decay, schedule.head_rate)
        self.weights: list[nn.Parameter] = [w for group in groups for w in group["params"]]
        self.start = [w.detach().clone() for w in self.weights] if schedule.pull else []
        self.optimizer = torch.optim.AdamW(groups, weight_decay=schedule.decay)
        self.most = min(schedule.epochs * lesson.steps, schedule.steps or 10**9)
        self.steps, self.losses, self.stopped = 0, list[float](), False
        self.best: tuple[float, int, list[Tensor]] = (math.inf, 0, [])
        self.taught, self.sums = list[float](), [0.0, 0.0]

    @property
    def epoch(self) -> int:
        """The epoch that the last step belonged to, from 1."""
        return max(1, math.ceil(self.steps / self.lesson.steps))

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to do."""
        if self.stopped or self.steps >= self.most:
            return self.steps > 0
        tired = self.validates and len(self.losses) - 1 - self.best[1] >= self.schedule.patience
        return tired and self.steps > 0 and self.steps % self.lesson.steps == 0

    def step(self) -> None:
        """Train on one batch; at an epoch's end, judge."""
        import torch

        self.modules.train(not self.lesson.still)
        for module in self.still:
            module.eval()
        numbers = self.lesson.batch(self.steps)
        share = share_of_peak(self.steps, self.most, self.schedule.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * share
        with self.meter.stage("training", self.lesson.positions(numbers)):
            self.optimizer.zero_grad(set_to_none=True)
            for place, more in enumerate(self.lesson.add_up(numbers)):
                self.sums[place] += more
            if self.start:
                self._draw_back()
            torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
            self.optimizer.step()
            if self.on_gpu:  # which answers before it is done, and a clock is asked
                torch.cuda.synchronize()
        self.steps += 1
        whole = self.steps % self.lesson.steps == 0
        if whole or self.steps == self.most:
            self._note()
        if (whole and self.validates) or self.steps == self.most:
            self.judge()

    def _draw_back(self) -> None:
        """Add the gradients of what draws weights back to where they started."""
        import torch

        pairs = zip(self.weights, self.start, strict=True)
        drifts = [((now - then) ** 2).sum() for now, then in pairs]
        (self.schedule.pull * torch.stack(drifts).sum()).backward()  # type: ignore[no-untyped-call]

    def _note(self) -> None:
        """Note the mean loss of an epoch's batches, as far as the epoch came."""
        if self.sums[1]:
            self.taught.append(self.sums[0] / self.sums[1])
        self.sums = [0.0, 0.0]

    def stop(self) -> None:
        """Let this step be the last."""
        self.stopped = True
        self._note()
        self.judge()

    def judge(self) -> None:
        """Note the loss on the rows to judge by, and the weights where they are the best so far."""
        with self.meter.stage("judging", self.lesson.judged):
            self.losses.append(self.lesson.judge())
        if self.losses[-1] < self.best[0]:
            copies = [w.detach().clone() for w in self.weights]
            self.best = (self.losses[-1], len(self.losses) - 1, copies)

    def state(self) -> State:
        """Return all that the next step depends on."""
        import torch

        tensors = {f"weight.{n}": w.detach() for n, w in enumerate(self.weights)}
        tensors |= {f"best.{n}": w for n, w in enumerate(self.best[2])}
        for number, weight in enumerate(self.weights):
            for name, value in self.optimizer.state.get(weight, {}).items():
                tensors[f"optimizer.{number}.{name}"] = value
        tensors["dice"] = torch.get_rng_state()
        if self.on_gpu:
            tensors["dice of the GPU"] = torch.cuda.get_rng_state()
        about = {
            "steps": self.steps,
            "losses": self.losses,
            "taught": self.taught,
            "sums": self.sums,
            "best": self.best[:2],
            "stopped": self.stopped,
        }
        return State(tensors, about)

    def restore(self, state: State) -> None:
        """Go back to where a state was taken."""
        import torch

        found = state.tensors
        with torch.no_grad():
            for number, weight in enumerate(self.weights):
                weight.copy_(found[f"weight.{number}"])
        for name, value in found.items():
            if name.startswith("optimizer."):
                _, place, field = name.split(".", 2)
                weight = self.weights[int(place)]
                kept: Any = self.optimizer.state[weight]
                kept[field] = value.clone() if field == "step" else value.to(weight.device)
        torch.set_rng_state(found["dice"])
        if self.on_gpu:
            torch.cuda.set_rng_state(found["dice of the GPU"])
        self.steps, self.losses = state.about["steps"], list(state.about["losses"])
        self.stopped = state.about["stopped"]
        # A job that a hubtl of before began has no such sums: its curve begins here.
        self.taught = list(state.about.get("taught", ()))
        self.sums = list(state.about.get("sums", (0.0, 0.0)))
        copies = [found[f"best.{n}"].clone() for n in range(len(self.weights)) if "best.0" in found]
        loss, epoch = state.about["best"]
        self.best = (math.inf if loss is None else loss, epoch, copies)

    def finish(self) -> Fitted:
        """Put the best weights back and return how it went."""
        import torch

        with torch.no_grad():
            for weight, kept in zip(self.weights, self.best[2], strict=True):
                weight.copy_(kept)
        self.modules.eval()
        best = self.best[1] if self.validates or self.best[1] == 0 else self.epoch
        validated = self.best[0] if self.validates else None
        return Fitted(best, self.epoch, validated, tuple(self.losses), tuple(self.taught))
