"""The peers: transformers' Trainer, as the examples of transformers and peft use it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .metering import Metering

EPOCHS, RATE, LORA_RATE = 3, 5e-5, 1e-3


@dataclass(frozen=True, slots=True)
class Example:
    """What an example of transformers gives to its Trainer.

    `train` and `test` have `__len__` and `__getitem__`; `lora` is PEFT's name of the task.
    """

    model: Any
    train: Any
    test: Any
    batch: int
    collate: Any = None
    lora: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)


class Rows:
    """Rows of a data set that are transformed each time they are asked for."""

    def __init__(self, rows: Sequence[tuple[str, str]], labels: Sequence[str], made: Any) -> None:
        self._rows, self._made = rows, made
        self._numbers = {label: number for number, label in enumerate(labels)}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._rows)

    def __getitem__(self, number: int) -> dict[str, Any]:
        """Return what a model takes of one row, and its label."""
        each, label = self._rows[number]
        return {**self._made(each), "labels": self._numbers[label]}


def trained(name: str, example: Example, seed: int, rate: float | None) -> dict[str, Any]:
    """Adapt by the Trainer, and return what it took and gave."""
    import numpy as np
    import transformers

    transformers.utils.logging.set_verbosity_error()
    model = example.model
    if "lora" in name:
        from peft import LoraConfig, get_peft_model

        model = get_peft_model(model, LoraConfig(task_type=example.lora, r=8, lora_alpha=16))
    sampling = {"train_sampling_strategy": "group_by_length"} if "grouped" in name else {}
    with tempfile.TemporaryDirectory() as room:
        worker = transformers.Trainer(
            model,
            transformers.TrainingArguments(
                room,
                num_train_epochs=EPOCHS,
                per_device_train_batch_size=example.batch,
                per_device_eval_batch_size=2 * example.batch,
                learning_rate=rate or (LORA_RATE if "lora" in name else RATE),
                report_to=[],
                save_strategy="no",
                logging_strategy="no",
                disable_tqdm=True,
                use_cpu=True,
                seed=seed,
                **sampling,
                **example.arguments,
            ),
            train_dataset=example.train,
            data_collator=example.collate,
        )
        with Metering() as metering:
            worker.train()
        predicted = worker.predict(example.test)
    # Grouped by length, the Trainer brings test rows too in an order of its own.
    accuracy = float((np.argmax(predicted.predictions, 1) == predicted.label_ids).mean())
    return {**metering.taken(), "accuracy": accuracy}


def loaded(auto: str, base: Path, labels: Sequence[str], seed: int) -> Any:
    """Return transformers' own classifier of a class, with a new head, in fp32."""
    import torch
    import transformers

    torch.manual_seed(seed)
    return getattr(transformers, auto).from_pretrained(
        base, num_labels=len(labels), dtype=torch.float32, ignore_mismatched_sizes=True
    )
