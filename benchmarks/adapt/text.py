"""Text: MiniLM on descriptions of Debian packages, as examples/pytorch/text-classification."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .training import Example, Rows, loaded

LENGTH = 256  # tokens; what MiniLM's own configuration says


def example(base: Path, rows: dict[str, Any], seed: int) -> Example:
    """Return what the example does: tokens once, padded to the longest of a batch, 16 rows each."""
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(base)
    model = loaded("AutoModelForSequenceClassification", base, rows["labels"], seed)

    def encoded(text: str) -> dict[str, Any]:
        return dict(tokenizer(text, truncation=True, max_length=LENGTH))

    train, test = (list(Rows(rows[part], rows["labels"], encoded)) for part in ("train", "test"))
    collate = transformers.DataCollatorWithPadding(tokenizer)
    return Example(model, train, test, 16, collate, lora="SEQ_CLS")
