"""Names of labels as rows to learn from: what somebody who wrote "refund" told of that class.

Rows made of names: Tunstall et al., "Efficient Few-Shot Learning Without Prompts" (SetFit), 2022,
who learn from nothing else where there are no rows; here each name is one row beside the others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ...registry.errors import BadOption
from ...transfer.network import Network
from ...transfer.split import Example

if TYPE_CHECKING:
    from ...transfer.start import Session

WORDS = ("auto", "learn", "none")
ABOUT = "learn: a label's name is a row too; none; or auto: learn texts, where names are words"
WORD = re.compile(r"[^\W\d_]{3,}")
SAYS_NOTHING = frozenset(("category", "class", "cluster", "group", "label", "topic", "type"))


def with_names(session: Session, network: Network, asked: str) -> Session:
    """Return a session that trains on the names of the labels too, or the same where it shouldn't.

    Raises BadOption where names are asked for and the network reads no texts.
    """
    reads = getattr(network, "reads_texts", False)
    if asked == "learn" and not reads:
        raise BadOption("`names=learn`: the inputs are no texts", "--set names=none")
    if asked == "none" or not reads or (asked == "auto" and not say_something(session.labels)):
        return session
    names = [Example(f"the name of {label}", spelled(label), label) for label in session.labels]
    among = (*session.among, *names) if session.among else ()
    return replace(session, train=(*session.train, *names), among=among)


def say_something(labels: Sequence[str]) -> bool:
    """Return whether each label has a word that tells it from others, as `class 3` has none."""
    return all({word.lower() for word in WORD.findall(label)} - SAYS_NOTHING for label in labels)


def spelled(label: str) -> str:
    """Return a label as somebody would write it in a text."""
    return " ".join(re.split(r"[\s_/-]+", label)).strip() or label
