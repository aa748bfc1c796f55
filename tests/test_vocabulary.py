"""Texts are spelt by the letters that they are compared by."""

from __future__ import annotations

import pytest

from hubtl.plugins.speech.vocabulary import own_vocabulary


@pytest.mark.parametrize(
    ("verbatim", "spelt"),
    [(False, "it's a half-year café of 3"), (True, "It’s a half-year café “of” 3!")],
)  # fmt: skip
def test_texts_are_spelt_as_they_are_compared(verbatim, spelt, tmp_path):
    text = "It’s a  half-year café “of” 3!"
    known = own_vocabulary(tmp_path, 0, verbatim=verbatim).holding([text])
    signs = {number: token for token, number in known.tokens.items()}
    assert "".join(signs[n] for n in known.spell(text)).replace("|", " ") == spelt
    assert known.spell("ωxéω") == ([known.tokens["é"]] if "x" not in known.tokens else [])
    assert known.spell("") == []
