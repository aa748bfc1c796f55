"""One number that logits are divided by, so that a model is as sure as it is often right.

Guo et al., "On Calibration of Modern Neural Networks", ICML 2017. It is divided into the head's own
weights, so whoever loads them has it, and no label changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .calibration import log_likely

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

    from .start import Session, Start

ENOUGH = 4096  # rows: one number is known well enough by them
WIDEST = 3.0  # the logarithm of a temperature is looked for between so much below and above 0


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What was said of rows that were not learnt from: class numbers, and which rows these were.

    `temperature` makes the logits of these rows most likely, where 1 leaves them as they are.
    """

    true: NDArray[np.int64]
    said: NDArray[np.int64]
    temperature: float
    how: str

    def as_json(self) -> dict[str, Any]:
        """Return what is written down of it."""
        rows = {"true": self.true.tolist(), "said": self.said.tolist()}
        return {**rows, "temperature": self.temperature, "how": self.how}

    @classmethod
    def from_json(cls, read: Mapping[str, Any]) -> HeldOut:
        """Return what was written down."""
        true, said = (np.array(read[name], np.int64) for name in ("true", "said"))
        return cls(true, said, read["temperature"], read["how"])


def held_out(logits: NDArray[Any], true: NDArray[np.int64], how: str) -> HeldOut:
    """Return what logits [rows, classes] say of rows, with the temperature that suits them."""
    return HeldOut(true, logits.argmax(axis=1), temperature_of(logits, true), how)


def temperature_of(logits: NDArray[Any], true: NDArray[np.int64]) -> float:
    """Return the temperature of the least log loss, drawn to 1 as far as rows are few.

    Where all rows are right, the less the temperature the less the loss, without end: so its
    logarithm is taken to be normal about 0, with a deviation of 1, before any row is seen.
    """
    from scipy.optimize import minimize

    exact = np.asarray(logits, np.float64)
    at = np.arange(len(true)), true

    def loss(place: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scaled = exact / np.exp(place[0])
        likely = log_likely(scaled)
        slope = scaled[at] - (np.exp(likely) * scaled).sum(axis=1)
        return (
            float(place[0] ** 2 / 2 - likely[at].sum()),
            np.array([place[0] + slope.sum()]),
        )

    found = minimize(loss, np.zeros(1), jac=True, method="L-BFGS-B", bounds=[(-WIDEST, WIDEST)])
    return float(np.exp(found.x[0]))


def soften(head: nn.Linear, temperature: float) -> None:
    """Divide a head's logits by a temperature."""
    import torch

    with torch.no_grad():
        head.weight.div_(temperature)
        head.bias.div_(temperature)


def temper(begun: Start, session: Session) -> HeldOut | None:
    """Divide the trained network's logits by the temperature that suits validation rows.

    None where there are no such rows, or where a row's label is not one of some classes.
    """
    import torch

    if not (session.validation and session.labels and session.goal.divides):
        return None
    network = begun.network
    network.body.eval()
    with begun.feeds() as feed, torch.inference_mode():
        rows = session.as_rows(session.validation, feed).some(ENOUGH)
        logits = rows.logits(network)
    found = held_out(logits, rows.targets, f"{len(rows)} validation rows")
    soften(network.head, found.temperature)
    return found
