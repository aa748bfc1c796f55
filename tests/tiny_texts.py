"""Tiny models of texts with random weights, of every family that hubtl is tried with."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from .conftest import FILLER, WORDS
from .tiny import WIDE

LENGTH = 64
POOLED = {"word_embedding_dimension": 16, "pooling_mode_mean_tokens": True}


def bert(words: int) -> Any:
    """Return a BERT."""
    from transformers import BertConfig, BertForSequenceClassification

    return BertForSequenceClassification(
        BertConfig(**WIDE, vocab_size=words, max_position_embeddings=LENGTH)
    )


def roberta(words: int) -> Any:
    """Return a RoBERTa, whose positions begin behind that of the sign it pads with."""
    from transformers import RobertaConfig, RobertaForSequenceClassification

    sizes = {"vocab_size": words, "max_position_embeddings": LENGTH + 2, "pad_token_id": 0}
    return RobertaForSequenceClassification(RobertaConfig(**WIDE, **sizes))


def distilbert(words: int) -> Any:
    """Return a DistilBERT, which names its sizes its own way."""
    from transformers import DistilBertConfig, DistilBertForSequenceClassification

    sizes = {"dim": 16, "n_layers": 3, "n_heads": 2, "hidden_dim": 32, "initializer_range": 0.3}
    config = DistilBertConfig(**sizes, vocab_size=words, max_position_embeddings=LENGTH)
    return DistilBertForSequenceClassification(config)


def deberta(words: int) -> Any:
    """Return a DeBERTa v2, of relative positions."""
    from transformers import DebertaV2Config, DebertaV2ForSequenceClassification

    how = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "pooler_hidden_size": 16}
    sizes = {"vocab_size": words, "max_position_embeddings": LENGTH, "type_vocab_size": 0}
    return DebertaV2ForSequenceClassification(DebertaV2Config(**WIDE, **sizes, **how))


def electra(words: int) -> Any:
    """Return an ELECTRA, whose words are narrower than its layers."""
    from transformers import ElectraConfig, ElectraForSequenceClassification

    sizes = {"vocab_size": words, "max_position_embeddings": LENGTH, "embedding_size": 8}
    return ElectraForSequenceClassification(ElectraConfig(**WIDE, **sizes))


def modernbert(words: int) -> Any:
    """Return a ModernBERT, with layers that see near words and layers that see all."""
    from transformers import ModernBertConfig, ModernBertForSequenceClassification

    sizes = {"vocab_size": words, "max_position_embeddings": LENGTH, "local_attention": 8}
    signs = {"pad_token_id": 0, "cls_token_id": 2, "sep_token_id": 3, "bos_token_id": 2}
    config = ModernBertConfig(**WIDE, **sizes, **signs, eos_token_id=3, reference_compile=False)
    return ModernBertForSequenceClassification(config)


def mpnet(words: int) -> Any:
    """Return an MPNet, which has one table of positions for all layers."""
    from transformers import MPNetConfig, MPNetForSequenceClassification

    sizes = {"vocab_size": words, "max_position_embeddings": LENGTH + 2, "pad_token_id": 0}
    return MPNetForSequenceClassification(MPNetConfig(**WIDE, **sizes))


def t5(words: int) -> Any:
    """Return the encoder of a T5, which is pooled by the mean."""
    from transformers import T5Config, T5EncoderModel

    sizes = {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 3, "num_heads": 2}
    return T5EncoderModel(T5Config(**sizes, vocab_size=words))


def llama(words: int) -> Any:
    """Return a Llama, which reads from left to right."""
    from transformers import LlamaConfig, LlamaForCausalLM

    sizes = {"vocab_size": words, "max_position_embeddings": LENGTH, "num_key_value_heads": 1}
    return LlamaForCausalLM(LlamaConfig(**WIDE, **sizes))


def qwen2(words: int) -> Any:
    """Return a Qwen2, which reads from left to right."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    sizes = {"vocab_size": words, "max_position_embeddings": LENGTH, "num_key_value_heads": 1}
    return Qwen2ForCausalLM(Qwen2Config(**WIDE, **sizes))


TEXTS: Mapping[str, Callable[[int], Any]] = {
    "BERT": bert,
    "RoBERTa": roberta,
    "DistilBERT": distilbert,
    "DeBERTa-v2": deberta,
    "ELECTRA": electra,
    "ModernBERT": modernbert,
    "MPNet": mpnet,
    "T5": t5,
    "Llama": llama,
    "Qwen2": qwen2,
}


def write(name: str, folder: Path) -> None:
    """Write a tiny model of a family and a tokenizer that knows the words of the tests."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    signs = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    split = Tokenizer(models.BPE())
    split.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    split.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=signs, initial_alphabet=alphabet, show_progress=False
    )
    words = [*FILLER, *WORDS["good"], *WORDS["bad"]]
    split.train_from_iterator([f"{word} {word}" for word in words], trainer)
    split.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    PreTrainedTokenizerFast(
        tokenizer_object=split,
        pad_token="[PAD]",
        unk_token="[UNK]",
        eos_token="[SEP]",
        model_max_length=LENGTH,
        model_input_names=["input_ids", "attention_mask"],
    ).save_pretrained(folder)
    torch.manual_seed(0)
    TEXTS[name](split.get_vocab_size()).save_pretrained(folder)
    if name == "T5":  # as such bases are published
        kinds = [("", "Transformer"), ("1_Pooling", "Pooling")]
        told = [
            {"idx": n, "name": str(n), "path": at, "type": f"sentence_transformers.models.{kind}"}
            for n, (at, kind) in enumerate(kinds)
        ]
        (folder / "modules.json").write_text(json.dumps(told))
        (folder / "1_Pooling").mkdir()
        (folder / "1_Pooling" / "config.json").write_text(json.dumps(POOLED))
