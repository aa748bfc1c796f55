"""A hub that does not exist, with the skew of one that does: listings and questions by a seed.

Names, organisations, tags and words follow power laws; most models have next to no downloads and a
few have nearly all; most are young. Half the names end in a number of a run that nobody else has.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hubtl.registry.entry import Query
from hubtl.registry.trust import trust_told

KNOWN = """bert roberta llama qwen mistral gpt2 t5 gemma whisper wav2vec2 vit deberta distilbert
phi falcon flan xlm electra albert bart clip resnet stable diffusion lora gguf instruct chat base
large small tiny finetuned sentiment ner multilingual legal medical finance code math v1 v2 v3 7b
13b 1b 3b 70b 8b q4 dpo sft merged model test my new en de fr zh ja""".split()
TASKS = """text-generation text-classification text-to-image token-classification fill-mask
automatic-speech-recognition image-classification sentence-similarity translation summarization
audio-classification question-answering reinforcement-learning object-detection""".split()
LANGUAGES = "en zh de fr es ja ko ru ar hi pt it nl pl tr vi id sv fi cs".split()
LICENCES = "apache-2.0 mit llama3 gemma cc-by-nc-4.0 cc-by-4.0 openrail other gpl-3.0".split()
DOMAINS = "general legal medical finance software security science social-media news".split()
TAGS = """transformers safetensors endpoints_compatible region:us autotrain_compatible pytorch
text-generation-inference generated_from_trainer conversational gguf peft tensorboard diffusers trl
sentence-transformers unsloth onnx jax adapter-transformers""".split()
LETTERS = np.array(list("etaoinshrdlucmfw"))
STEP = 20_000


def ranks(rng: np.random.Generator, many: int, size: Any, power: float) -> Any:
    """Return numbers below `many`, the n-th of which is as likely as n to the minus power."""
    weights = np.cumsum(1 / np.arange(1, many + 1) ** power)
    return np.searchsorted(weights, rng.random(size) * weights[-1])


def spelt(rng: np.random.Generator, count: int) -> list[str]:
    """Return words that nobody has spelt before."""
    lengths = rng.integers(3, 10, count)
    return ["".join(rng.choice(LETTERS, length)) for length in lengths]


def models(count: int, seed: int = 7) -> Iterator[dict[str, Any]]:
    """Give the models of the hub, as a listing has them."""
    rng = np.random.default_rng(seed)
    vocabulary = [*KNOWN, *spelt(rng, int(40 * count**0.55))]
    organisations = spelt(rng, max(100, count // 8))
    bases = [f"{organisations[n % 100]}/{vocabulary[n % 500]}-{n}" for n in range(20_000)]
    seen: set[int] = set()
    for start in range(0, count, STEP):
        some = min(STEP, count - start)
        yield from _some(rng, some, vocabulary, organisations, bases, seen)


def _some(
    rng: np.random.Generator,
    count: int,
    vocabulary: list[str],
    organisations: list[str],
    bases: list[str],
    seen: set[int],
) -> Iterator[dict[str, Any]]:
    words = len(vocabulary)
    owner = ranks(rng, len(organisations), count, 0.8)
    name, named = ranks(rng, words, (count, 6), 1.05), rng.integers(2, 6, count)
    said = ranks(rng, words, (count, 16), 1.0)
    tags, tagged = ranks(rng, len(TAGS), (count, 6), 0.8), rng.integers(2, 7, count)
    task, language = ranks(rng, len(TASKS), count, 1.0), ranks(rng, len(LANGUAGES), count, 1.3)
    licence, domain = ranks(rng, len(LICENCES), count, 1.0), ranks(rng, len(DOMAINS), count, 1.2)
    base = ranks(rng, len(bases), count, 1.1)
    downloads = np.floor(rng.pareto(0.55, count)).clip(0, 2e8).astype(int)
    days = np.datetime64("2026-11-01") - np.floor(rng.exponential(400, count)).clip(0, 2000).astype(
        int
    )
    chance, run = rng.random((count, 8)), rng.integers(0, 2**20, count)
    for i in range(count):
        model = (
            f"{organisations[owner[i]]}/{'-'.join([vocabulary[j] for j in name[i, : named[i]]])}"
        )
        if chance[i, 0] < 0.5:
            model += f"-{run[i]:x}"
        if hash(model) in seen:
            model += f"-{len(seen)}"
        seen.add(hash(model))
        of = bases[base[i]] if chance[i, 1] < 0.5 else None
        kind = "adapter" if of and chance[i, 2] < 0.6 else "base"
        found = [TAGS[j] for j in tags[i, : tagged[i]]]
        if of:
            found.append(f"base_model:{'adapter' if kind == 'adapter' else 'finetune'}:{of}")
        if chance[i, 3] < 0.2:
            found.append(f"dataset:{vocabulary[said[i, 0]]}/{vocabulary[said[i, 1]]}")
        yield {
            "id": model,
            "kind": kind,
            "tasks": [TASKS[task[i]]] if chance[i, 4] < 0.8 else [],
            "domains": [DOMAINS[domain[i]]] if chance[i, 5] < 0.3 else [],
            "languages": [LANGUAGES[language[i]]] if chance[i, 6] < 0.5 else [],
            "licence": LICENCES[licence[i]] if chance[i, 7] < 0.6 else None,
            "params": int(10 ** (6 + 5 * chance[i, 2])) if chance[i, 0] < 0.6 else None,
            "revision": f"{run[i]:08x}" * 5,
            "downloads": int(downloads[i]),
            "base": of,
            "tags": found,
            "trust": trust_told(found),
            "about": " ".join([vocabulary[j] for j in said[i]]) if chance[i, 3] < 0.4 else "",
            "date": str(days[i]),
        }


def write_hub(path: Path, count: int, seed: int = 7) -> None:
    """Write the listing of a hub of so many models."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(model)}\n" for model in models(count, seed))


def questions(some: Sequence[dict[str, Any]], count: int, seed: int = 3) -> list[Query]:
    """Return mixed questions about a hub of which `some` models are known, in no order."""
    dice = random.Random(seed)
    names = [word for model in some for word in model["id"].partition("/")[2].split("-")]
    rare = sorted(set(names) - set(KNOWN))
    common = [*KNOWN[:45], "transformers", "safetensors", "text", "generation", "pytorch", "model"]

    def model() -> dict[str, Any]:
        return dice.choice(some)

    def of_base() -> dict[str, Any]:
        base = dice.choice([each["base"] for each in some if each["kind"] == "adapter"])
        return {"kind": "adapter", "base": base}

    kinds = [
        (20, lambda: Query(dice.choice(common))),
        (14, lambda: Query(dice.choice(rare))),
        (10, lambda: Query(" ".join(dice.sample(common, 2)))),
        (8, lambda: Query(" ".join(dice.sample(common, 3)))),
        (5, lambda: Query(f"{dice.choice(common)} {dice.choice(rare)}")),
        (8, lambda: Query(dice.choice(names)[: dice.randint(2, 5)] + "*")),
        (5, lambda: Query(model()["id"])),
        (4, lambda: Query(f"{dice.choice(KNOWN[:20])[:-1]}x{dice.choice('aeiou')}")),
        (5, lambda: Query(dice.choice(common), task=dice.choice(TASKS), language="ja")),
        (5, lambda: Query(dice.choice(common), domain=dice.choice(DOMAINS), allows="commercial")),
        (4, lambda: Query(dice.choice(common), max_params=10 ** dice.randint(6, 10))),
        (3, lambda: Query(organisation=model()["id"].partition("/")[0])),
        (2, lambda: Query(licence=dice.choice(LICENCES), language=dice.choice(LANGUAGES))),
        (4, lambda: Query(**of_base())),
        (3, lambda: Query(dice.choice(common), **of_base())),
    ]
    made = [kind for share, kind in kinds for _ in range(round(count * share / 100))]
    dice.shuffle(made)
    return [kind() for kind in made]
