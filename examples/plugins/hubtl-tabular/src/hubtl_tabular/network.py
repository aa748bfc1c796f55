"""hubtl's sentence encoder, whose head sees a row's own numbers beside what the encoder made."""

import inspect
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hubtl.plugins.hookspecs import Loading
from hubtl.plugins.networks import files
from hubtl.plugins.networks.answers import predict_code
from hubtl.plugins.text import sentence_encoder
from hubtl.registry.errors import BadOption

from .rows import as_numbers, as_text, numbers_in

SNIPPET = """\
import json

import torch
{hub}{peft}from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer

base, base_revision = {base!r}, {revision!r}
adapter = {address!r}
labels = {labels!r}
num_labels = {classes}

folder = {fetched}
tokenizer = AutoTokenizer.from_pretrained(folder)
{body}head = load_file(f"{{folder}}/head.safetensors")
numbers = json.load(open(f"{{folder}}/numbers.json"))
assert len(head["bias"]) == num_labels


{as_text}

{as_numbers}

@torch.inference_mode()
def logits(rows):
    found = []
    for start in range(0, len(rows), 32):
        some = [json.loads(row) for row in rows[start : start + 32]]
        batch = tokenizer([as_text(row, numbers) for row in some], padding=True, truncation=True,
                          max_length={length}, return_tensors="pt")
        mask = batch["attention_mask"].unsqueeze(-1)
        pooled = (body(**batch).last_hidden_state * mask).sum(1) / mask.sum(1)
{scale}        beside = torch.tensor([as_numbers(row, numbers) for row in some])
        found.append(torch.cat([pooled, beside], 1) @ head["weight"].T + head["bias"])
    return torch.cat(found)


{predict}"""
SCALE = "        pooled = torch.nn.functional.normalize(pooled, dim=1)\n"


class RowEncoder(sentence_encoder.SentenceEncoder):
    """An encoder of rows as sentences, and a linear head on that and on their numbers."""

    def __init__(self, base: Path, entry: Any, labels: Sequence[str], device: str | None) -> None:
        if not sentence_encoder.is_sentence_encoder(base):
            raise BadOption(
                "rows are read by a sentence encoder of mean pooling, and the base is none",
                "--base sentence-transformers/all-MiniLM-L6-v2",
            )
        super().__init__(base, entry, labels, device)
        self.numbers: dict[str, dict[str, Any]] = {}

    def expect(self, inputs: Sequence[str], labels: Sequence[str]) -> None:
        """Learn which columns are numbers, and make the head wide enough for them."""
        import torch

        self.numbers = numbers_in(inputs)
        width = int(self.body.config.hidden_size) + len(self.numbers)
        self.head = torch.nn.Linear(width, self.head.out_features).to(self.device)

    @property
    def identity(self) -> str:
        """What makes features: the base, how texts are cut, and how numbers are read."""
        return f"{super().identity}, numbers {json.dumps(self.numbers)}"

    def sizes(self, inputs: Sequence[str]) -> list[int]:
        """Return the tokens of each row."""
        return super().sizes(self._texts(inputs))

    def collate(self, inputs: Sequence[str]) -> Mapping[str, Any]:
        """Return token ids, their mask, and `numbers` [rows, columns]."""
        import torch

        seen = [as_numbers(json.loads(each), self.numbers) for each in inputs]
        numbers = torch.tensor(seen, dtype=torch.float32, device=self.device)
        return {**super().collate(self._texts(inputs)), "numbers": numbers}

    outline = collate

    def features(self, batch: Mapping[str, Any]) -> Any:
        """Return the mean over tokens, and the numbers behind it: [rows, width + columns]."""
        import torch

        pooled = super().features({name: batch[name] for name in batch if name != "numbers"})
        return torch.cat([pooled, batch["numbers"].to(pooled.dtype)], 1)

    def save(self, folder: Path) -> None:
        """Write adapter or model, tokenizer, how numbers are read, and the head."""
        from safetensors.torch import save_file

        self.save_body(folder)
        files.write_json(folder / "numbers.json", self.numbers)
        weights = {name: each.cpu().contiguous() for name, each in self.head.state_dict().items()}
        save_file(weights, folder / "head.safetensors", {"format": "pt"})
        (folder / "head.safetensors").chmod(0o644)

    def describe_inputs(self, inputs: Sequence[str]) -> dict[str, Any]:
        """Return how rows are read, and how many of their sentences were cut."""
        said = super().describe_inputs(self._texts(inputs))
        beside = f"; {len(self.numbers)} columns of numbers beside it, in deviations from the mean"
        return {**said, "how": said["how"] + beside, "scaled": self.normalizes}

    def _texts(self, inputs: Sequence[str]) -> list[str]:
        return [as_text(json.loads(each), self.numbers) for each in inputs]


def snippet(folder: Path, loading: Loading) -> str:
    """Return the Python that loads a saved folder by public libraries alone."""
    whole = not (folder / files.ADAPTER[0]).is_file()
    code = sentence_encoder.WHOLE if whole else sentence_encoder.ADAPTED
    return SNIPPET.format(
        peft="" if whole else "from peft import PeftModel\n",
        body=code.format(kind="AutoModel"),
        base=loading.base, revision=loading.base_revision,
        address=loading.address, **files.from_hub(loading.address),
        labels=list(loading.labels), classes=len(loading.labels),
        as_text=inspect.getsource(as_text), as_numbers=inspect.getsource(as_numbers),
        length=int(loading.inputs["max_length"]),
        scale=SCALE if loading.inputs["scaled"] else "",
        predict=predict_code(loading.options, "rows"),
    )  # fmt: skip
