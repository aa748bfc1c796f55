"""Inputs that hold the same, told once: of what is made of inputs none is made twice."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .network import Network


@dataclass(frozen=True, slots=True)
class Distinct:
    """Inputs of which no two hold the same, and the number of each input asked.

    `contents` are the SHA-256 of what each holds, [inputs, 32] bytes, and `digest` is one of all.
    """

    inputs: Sequence[str]
    contents: NDArray[np.uint8]
    digest: str
    numbers: dict[str, int]


def distinct(network: Network, inputs: Sequence[str]) -> Distinct:
    """Return inputs once each, as a network tells them apart."""
    asked = sorted(set(inputs))
    contents = network.contents(asked)
    firsts: dict[str, str] = {}
    for each, content in zip(asked, contents, strict=True):
        firsts.setdefault(content, each)
    order = {content: number for number, content in enumerate(sorted(firsts))}
    hashes = b"".join(_sha256(content) for content in order)
    numbers = {each: order[content] for each, content in zip(asked, contents, strict=True)}
    return Distinct(
        [firsts[content] for content in order],
        np.frombuffer(hashes, np.uint8).reshape(-1, 32),
        hashlib.sha256(hashes).hexdigest(),
        numbers,
    )


def _sha256(content: str) -> bytes:
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).digest()
