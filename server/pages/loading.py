"""The lines by which a repository is loaded: for a shell and for Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...registry.card import first_python_block
from ...registry.errors import BadData
from ..repos import Repo

MOST = 6000  # letters of a program that is shown


def shell_lines(repo: Repo, base: str, *, token: bool) -> str:
    """Return the lines that fetch it with the Hub's own client."""
    kind = "" if repo.kind == "model" else f" --repo-type {repo.kind}"
    secret = ["export HF_TOKEN=hf_…"] if token else []
    return "\n".join([f"export HF_ENDPOINT={base}", *secret, f"hf download {repo.id_}{kind}"])


def python_lines(repo: Repo, facts: Mapping[str, Any], card: str, *, proven: bool) -> str:
    """Return a program that loads it; that of its card, where that is what was proven."""
    if proven:
        try:
            return first_python_block(card)[:MOST].strip()
        except BadData:
            pass  # written by hand since
    if repo.kind == "dataset":
        return f'from datasets import load_dataset\n\nrows = load_dataset("{repo.id_}")'
    library, task = facts.get("library"), facts.get("task")
    if library == "sentence-transformers":
        return (
            "from sentence_transformers import SentenceTransformer\n\n"
            f'model = SentenceTransformer("{repo.id_}")'
        )
    if library == "transformers" and task:
        return f'from transformers import pipeline\n\nmodel = pipeline(model="{repo.id_}")'
    if library == "transformers":
        return (
            f'from transformers import AutoModel\n\nmodel = AutoModel.from_pretrained("{repo.id_}")'
        )
    return (
        "from huggingface_hub import snapshot_download\n\n"
        f'folder = snapshot_download("{repo.id_}"{_kind(repo)})'
    )


def _kind(repo: Repo) -> str:
    return "" if repo.kind == "model" else f', repo_type="{repo.kind}"'
