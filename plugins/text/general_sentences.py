"""Two hundred public sentences of twenty domains, written for hubtl, to measure retention by."""

from pathlib import Path

SENTENCES = tuple(Path(__file__).with_suffix(".txt").read_text("utf-8").splitlines())
WORDS = "200 sentences of many domains that ship with hubtl"
