"""What comes of a language model: the code of its card, and the base as it is beside it."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...transfer.completion import turns
from ..hookspecs import Loading

LONGEST = 512  # tokens of a prompt and its completion, where a base says no less
SNIPPET = """\
from typing import Any

import torch
{imports}

base, base_revision = {base!r}, {revision!r}
adapter = {address!r}
length, most = {length}, {most}
room = length - most  # for the end of a prompt

tokenizer = AutoTokenizer.from_pretrained(adapter)
{model}

{sources}

@torch.inference_mode()
def answers(prompts):
    texts, scores = [], []
    for prompt in prompts:
        ids, told, score, past = before_it(tokenizer, prompt)[-room:], [], 0.0, None
        while len(told) < most and tokenizer.eos_token_id not in told:
            given = torch.tensor([told[-1:] or ids])
            found = model(input_ids=given, past_key_values=past, use_cache=True)
            likely, past = found.logits[0, -1].float().log_softmax(0), found.past_key_values
            told.append(int(likely.argmax()))
            score += float(likely.max())
        texts.append(tokenizer.decode(told, skip_special_tokens=True).strip())
        scores.append([score / len(told)])
    return texts, scores


def predict(prompts):
    return answers(prompts)[0]


def nats(prompts, completions, end=True):
    pairs = zip(prompts, completions, strict=True)
    return [nats_of(model, *in_tokens(tokenizer, *pair, length, end)) for pair in pairs]
"""
ADAPTED = """\
model = AutoModelForCausalLM.from_pretrained(base, revision=base_revision, dtype=torch.float32)
model = PeftModel.from_pretrained(model, adapter).eval()
"""
AUTO = """\
model = AutoPeftModelForCausalLM.from_pretrained(adapter, dtype=torch.float32).eval()
"""
WHOLE = """\
model = AutoModelForCausalLM.from_pretrained(adapter, dtype=torch.float32).eval()
"""
PEFT, TRANSFORMERS = "from peft import {}", "from transformers import {}"
WAY = "`AutoPeftModelForCausalLM.from_pretrained(adapter)`"
# Behind code with `nats`: what texts cost the model that stand on their own, which end nowhere.
KEPT = """\
def kept(texts):
    return [["", *found] for found in nats(texts, [each.strip() for each in texts], end=False)]
"""
# As KEPT, of the public inputs.
LOGITS = """

def logits(texts):
    alone = [each.strip() for each in texts]
    return [[-lost / tokens, tokens] for lost, tokens in nats(texts, alone)]
"""


def before_it(tokenizer: Any, prompt: str) -> list[int]:
    """Return the tokens of a prompt, of a chat up to the answer; at least one, to begin with."""
    told = turns(prompt)
    if told and told[-1]["role"] == "assistant":
        told = told[:-1]
    if told:
        prompt = tokenizer.apply_chat_template(told, tokenize=False, add_generation_prompt=True)
    ids = list(tokenizer(prompt, add_special_tokens=not told)["input_ids"])
    if ids[-1:] == [tokenizer.eos_token_id] and not told:
        ids = ids[:-1]
    start, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    return ids or [end if start is None else start]


def in_tokens(
    tokenizer: Any, prompt: str, completion: str, length: int, end: bool
) -> tuple[list[int], list[int]]:
    """Return the tokens of a prompt and of its completion, which is the prompt for a whole text.

    That has no spaces round it; a completion that says the same as its prompt begins with one. What
    is too long loses the front of the prompt, then the completion's tail.
    """
    alone, completion = prompt.strip() == completion, completion.strip()
    space = "" if alone or turns(prompt) or prompt[-1:].isspace() else " "
    after = list(tokenizer(space + completion, add_special_tokens=False)["input_ids"])
    after = [*after, *[tokenizer.eos_token_id] * end][: length - 1]
    before = before_it(tokenizer, "" if alone else prompt)
    return before[-(length - len(after)) :], after


def nats_of(model: Any, before: list[int], after: list[int]) -> tuple[float, int]:
    """Return what the tokens after others cost a model together, in nats, and how many they are."""
    import torch

    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([[*before, *after]])).logits[0, len(before) - 1 : -1]
    lost = torch.nn.functional.cross_entropy(logits.float(), torch.tensor(after), reduction="sum")
    return float(lost), len(after)


def snippet(folder: Path, loading: Loading) -> str:
    """Return the Python that loads a saved folder without hubtl."""
    names = "AutoModelForCausalLM, AutoTokenizer"
    if (folder / "adapter_config.json").is_file():
        imports = [PEFT.format("PeftModel"), TRANSFORMERS.format(names)]
        return _code(loading, imports, ADAPTED)
    return _code(loading, [TRANSFORMERS.format(names)], WHOLE)


def other_ways(folder: Path, loading: Loading) -> dict[str, str]:
    """Return PEFT's own class, where there is an adapter for it."""
    if not (folder / "adapter_config.json").is_file():
        return {}
    imports = [PEFT.format("AutoPeftModelForCausalLM"), TRANSFORMERS.format("AutoTokenizer")]
    return {WAY: _code(loading, imports, AUTO) + LOGITS}


def _code(loading: Loading, imports: Sequence[str], model: str) -> str:
    sources = [inspect.getsource(each) for each in (turns, before_it, in_tokens, nats_of)]
    return SNIPPET.format(
        imports="\n".join(imports),
        base=loading.base,
        revision=loading.base_revision,
        address=loading.address,
        length=int(loading.inputs["max_length"]),
        most=int(loading.options["max_new_tokens"]),
        model=model,
        sources="\n\n".join(sources),
    )
