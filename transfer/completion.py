"""Labels that continue a text, judged by how probable a model finds those that rows have.

What a model says of a row is a text of its own, then a line with what the row's label cost it:
`Paris.` and `0.25 nats in 3 tokens`. Either may be missing: writing takes far longer than reading,
so most rows are only judged, and what nobody has a label for is only written.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .free_text import FreeText
from .measure import Metric

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMS = ({"role", "content"}, {"from", "value"})  # what a turn of a chat has, one way or another
COST = re.compile(r"(?:^|\n)(\S+) nats in (\d+) tokens$")


def loss(true: NDArray[Any], predicted: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    """Return the mean over tokens of their cross-entropy, in nats."""
    nats, tokens = _costs(predicted).T
    return np.asarray((weights @ nats) / (weights @ tokens))


def perplexity(true: NDArray[Any], predicted: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    """Return e to the loss: among how many tokens, all as likely, one would have to guess."""
    return np.asarray(np.exp(loss(true, predicted, weights)))


def turns(text: str) -> list[dict[str, str]]:
    """Return the turns of a chat, a JSON list of {role, content}; none of any other text."""
    import json

    try:
        found = json.loads(text) if text.lstrip().startswith("[") else []
    except (ValueError, RecursionError):
        return []
    if not all(isinstance(each, dict) for each in found):
        return []
    told = [each.get(key) for each in found for key in ("role", "content")]
    return found if all(isinstance(each, str) for each in told) else []


class Completion(FreeText):
    """A text of any words; of a chat it is the last turn, which must be the assistant's."""

    metrics: Mapping[str, Metric] = {"perplexity": perplexity, "loss": loss}
    nested = True
    what = "completion"
    worst_by = "nats a token"

    def input(self, cell: str) -> str:
        """Return the cell as it stands."""
        return cell

    def row(self, input: str, label: str, *, one: bool = False) -> tuple[str, str]:
        """Return the input as it stands and the text to learn.

        A completion that says the same as its prompt begins with a space, as no other does: what is
        the same without is a text alone, which has no prompt. Raises ValueError where there is no
        answer, and for chats in another form. What is learnt after a prompt may be other JSON.
        """
        if any(_is_chat(cell, strict=not one) and not turns(cell) for cell in (input, label)):
            raise ValueError("a chat is a list of turns, each with a role and a content as texts")
        told = self.read(label)
        return input, f" {told}" if told == input.strip() and not one else told

    def read(self, cell: str) -> str:
        """Return the text without spaces round it; raises ValueError where there is no answer."""
        told = turns(cell)
        if told and told[-1]["role"] != "assistant":
            raise ValueError("the last turn of a chat must be the assistant's")
        text = (told[-1]["content"] if told else cell).strip()
        if not text or "\0" in text:
            raise ValueError("an answer must be a text without NUL")
        return text

    def shown(self, label: str) -> Any:
        """Return the text that was written; an empty one where nothing was."""
        return COST.sub("", label).strip()

    def said(self, answer: Any) -> str:
        """Return as one text what was written, or [that, nats, tokens] of the row's own label."""
        if isinstance(answer, str):
            return answer.strip()
        text, nats, tokens = answer
        cost = f"{float(nats)!r} nats in {int(tokens)} tokens"
        return f"{text.strip()}\n{cost}" if text.strip() else cost

    def wrong(
        self, true: str, label: str, logits: Sequence[float], classes: Sequence[str]
    ) -> float:
        """Return what a token of the row's label cost, in the mean."""
        nats, tokens = _costs([label])[0]
        return float(nats / tokens)

    def unlike(self, said: Sequence[str], other: Sequence[str]) -> str:
        """Return that tokens differ where rows have other numbers of them: costs are per token."""
        ours, theirs = _costs(said)[:, 1], _costs(other)[:, 1]
        return "" if np.array_equal(ours, theirs, equal_nan=True) else "their tokens differ"

    def slack(self, value: float, gap: float, said: Sequence[str] = ()) -> float:
        """Return how far off a perplexity may be where no row's mean is further off than `gap`."""
        return value * math.expm1(gap)

    def kept(self, before: float, after: float) -> float:
        """Return how probable a token is, as a share of before, by two perplexities; at most 1."""
        return min(1.0, before / after)


def _is_chat(text: str, *, strict: bool) -> bool:
    """Return whether a text is a turn or a JSON list of them in any form.

    If it is to be strict, turns are what has a role and a content, or `from` and `value`; else all
    lists of objects are chats.
    """
    try:
        found = json.loads(text) if text.lstrip()[:1] in ("[", "{") else []
    except (ValueError, RecursionError):
        return False
    told = found if isinstance(found, list) else [found] * strict
    if not told or not all(isinstance(each, dict) for each in told):
        return False
    return not strict or all(any(form <= set(each) for form in FORMS) for each in told)


def _costs(said: Sequence[str] | NDArray[Any]) -> NDArray[np.float64]:
    """Return (nats, tokens) of the label of each row [rows, 2]; NaN where it was not judged."""
    found = [COST.search(str(each)) for each in said]
    return np.array([(float(m[1]), float(m[2])) if m else (math.nan,) * 2 for m in found])
