"""A text-generation model of a few thousand random weights, made on the spot."""

from pathlib import Path

import pytest


def write_tiny_model(folder: Path) -> Path:
    """Write a model and its tokenizer, which transformers can load."""
    torch = pytest.importorskip("torch")
    tokenizers = pytest.importorskip("tokenizers")
    transformers = pytest.importorskip("transformers")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=120, special_tokens=["<unk>", "<end>"])
    tokenizer.train_from_iterator(["Be careful. Talk number one. Client: Therapist:"] * 4, trainer)
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", eos_token="<end>"
    )
    torch.manual_seed(1)
    config = transformers.GPT2Config(
        vocab_size=len(fast),
        n_positions=256,
        n_embd=16,
        n_layer=1,
        n_head=2,
        bos_token_id=fast.eos_token_id,
        eos_token_id=fast.eos_token_id,
    )
    transformers.GPT2LMHeadModel(config).save_pretrained(folder)
    fast.chat_template = "{% for message in messages %}{{ message.content }} {% endfor %}Therapist:"
    fast.save_pretrained(folder)
    return folder
