"""What every task of texts says of its inputs, whatever it learns of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..check import Look
from ..related import Measured
from ..retaining import Probes
from . import general_sentences
from .probe_inputs import PROBE_INPUTS


class OfTexts:
    """A part of a task whose inputs are texts, without options and needing no package more."""

    needs: Mapping[str, str] = {}
    options: Mapping[str, Any] = {}
    about: Mapping[str, str] = {}
    words: Mapping[str, Sequence[str]] = {}
    probe_inputs: Sequence[str] = PROBE_INPUTS
    retention_judged = False

    def look(self, inputs: Sequence[str]) -> Look:
        """Return the texts, for checking them."""
        from .look import Texts

        return Texts(inputs)

    def related(self, base: Path, inputs: Sequence[str]) -> Measured | None:
        """Return the share of words that the base's tokenizer keeps whole."""
        from .kept_words import kept_words

        return kept_words(base, inputs)

    def retention_probes(self, base: Path) -> Probes:
        """Return sentences of many kinds."""
        return Probes(general_sentences.WORDS, general_sentences.SENTENCES)
