"""The round trip of each library that pushes to and loads from the Hub, with bytes compared."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi

from .steps import same, take

USER = os.environ.get("PROBE_USER", "")
BASE, ADAPTER, ROWS, ENCODER = (f"{USER}/{name}" for name in ("bert", "lora", "rows", "encoder"))
SENTENCES = ["the room was lovely", "that day it was cold and sad"]


def transformers_model() -> None:
    """Push a model and its tokenizer, load both, and get the same numbers."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    with tempfile.TemporaryDirectory() as name:
        folder = _tiny(name, pooled=False)
        model, tokenizer = AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
        model.push_to_hub(BASE)
        tokenizer.push_to_hub(BASE)
        model, loaded = model.eval(), AutoModel.from_pretrained(BASE).eval()
        batch = AutoTokenizer.from_pretrained(BASE)(SENTENCES, padding=True, return_tensors="pt")
        wanted = tokenizer(SENTENCES, padding=True, return_tensors="pt")
        same(batch["input_ids"].tolist(), wanted["input_ids"].tolist())
        with torch.no_grad():
            pair = [each(**batch).last_hidden_state for each in (model, loaded)]
        same(torch.equal(*pair), True)


def transformers_revision() -> None:
    """Push to a branch, and load a classifier from it by name."""
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(BASE, num_labels=3)
    HfApi().create_branch(BASE, branch="head")
    model.push_to_hub(BASE, revision="head")
    loaded = AutoModelForSequenceClassification.from_pretrained(BASE, revision="head")
    same(loaded.config.num_labels, 3)
    same(loaded.classifier.weight.tolist(), model.classifier.weight.tolist())


def peft_adapter() -> None:
    """Push a LoRA adapter; load it by its name alone, which finds its base on the hub."""
    import torch
    from peft import AutoPeftModelForFeatureExtraction, LoraConfig, PeftModel, get_peft_model
    from transformers import AutoModel

    config = LoraConfig(r=4, target_modules=["query", "value"], init_lora_weights=False)
    adapted = get_peft_model(AutoModel.from_pretrained(BASE), config)
    adapted.push_to_hub(ADAPTER)
    auto = AutoPeftModelForFeatureExtraction.from_pretrained(ADAPTER)
    named = PeftModel.from_pretrained(AutoModel.from_pretrained(BASE), ADAPTER)
    ids = torch.arange(8).reshape(1, -1)
    with torch.no_grad():
        first, *others = [m.eval()(input_ids=ids)[0] for m in (adapted, auto, named)]
    same([torch.equal(first, other) for other in others], [True, True])


def peft_lineage() -> None:
    """Find the adapter in the listing of what was made of its base."""
    found = [each.id for each in HfApi().list_models(filter=f"base_model:{BASE}")]
    same(found, [ADAPTER])


def sentence_transformer() -> None:
    """Push a sentence encoder, load it, and get the same vectors."""
    from sentence_transformers import SentenceTransformer

    with tempfile.TemporaryDirectory() as name:
        model = SentenceTransformer(str(_tiny(name, pooled=True)), device="cpu")
        model.push_to_hub(ENCODER)
        loaded = SentenceTransformer(ENCODER, device="cpu")
        same(loaded.encode(SENTENCES).tolist(), model.encode(SENTENCES).tolist())


def datasets_push() -> None:
    """Push two splits in two configurations, and load them back."""
    from datasets import (  # type: ignore[import-not-found]
        Dataset,
        DatasetDict,
        load_dataset,
    )

    for config, factor in (("default", 1), ("tens", 10)):
        splits = {
            "train": Dataset.from_dict({"n": [i * factor for i in range(200)]}),
            "test": Dataset.from_dict({"n": [-factor, -2 * factor]}),
        }
        DatasetDict(splits).push_to_hub(ROWS, config_name=config)
    for config, factor in (("default", 1), ("tens", 10)):
        loaded = load_dataset(ROWS, config)
        same(loaded["train"]["n"][:], [i * factor for i in range(200)])
        same(loaded["test"]["n"][:], [-factor, -2 * factor])


def datasets_streaming() -> None:
    """Read a dataset as a stream, row by row."""
    from datasets import load_dataset

    rows = load_dataset(ROWS, "tens", split="train", streaming=True)
    same([row["n"] for row in rows], [i * 10 for i in range(200)])


def datasets_files() -> None:
    """Load a plain csv that was uploaded, by its name and by its hf:// address."""
    from datasets import load_dataset

    repo = f"{USER}/plain"
    HfApi().create_repo(repo, repo_type="dataset")
    content = b"text,label\nfine,1\nsad,0\n"
    HfApi().upload_file(
        path_or_fileobj=content, path_in_repo="rows.csv", repo_id=repo, repo_type="dataset"
    )
    wanted = [{"text": "fine", "label": 1}, {"text": "sad", "label": 0}]
    same(list(load_dataset(repo, split="train")), wanted)
    address = f"hf://datasets/{repo}/rows.csv"
    same(list(load_dataset("csv", data_files=address, split="train")), wanted)


def _tiny(name: str, *, pooled: bool) -> Path:
    from tests.conftest import tiny_bert

    folder = Path(name, "tiny")
    tiny_bert(folder, pooled=pooled)
    return folder


def main() -> None:
    """Take all steps."""
    names = ("transformers", "peft", "sentence-transformers", "datasets", "huggingface_hub")
    steps: dict[str, Callable[[], Any]] = {
        "transformers: push_to_hub, from_pretrained": transformers_model,
        "transformers: from a branch": transformers_revision,
        "peft: push_to_hub, AutoPeftModel, PeftModel": peft_adapter,
        "peft: found by its base": peft_lineage,
        "sentence-transformers: push_to_hub, load": sentence_transformer,
        "datasets: push_to_hub, load_dataset": datasets_push,
        "datasets: streaming": datasets_streaming,
        "datasets: csv by name and by hf://": datasets_files,
    }
    take(steps, ", ".join(f"{name} {version(name)}" for name in names))


if __name__ == "__main__":
    main()
