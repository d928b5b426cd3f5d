"""A text-generation model on this machine, through transformers, which is imported only when it is wanted."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .port import Answer, FailedError, Request, UnusableGeneratorError, Usage

MISSING = (
    "A local model needs transformers and torch, which are not here ({missing}): install the extra with "
    "`pip install -e '.[local-model]'`, or use another generator."
)


MODEL_FILES = {".json", ".txt", ".model", ".jinja", ".safetensors", ".bin", ".pt", ".gguf", ".py"}
END_BYTES = 16 * 1024 * 1024


class LocalGenerator:
    """One model in this process; it answers one request at a time."""

    most_at_once: int | None = 1

    def __init__(self, model: str, *, temperature: float = 0.9, max_tokens: int = 2048) -> None:
        self._model, self._temperature, self._max_tokens = model, temperature, max_tokens
        self._transformers = _imported()
        try:
            self._pipeline: Any = self._transformers.pipeline("text-generation", model=model)
        except (OSError, ValueError) as error:
            problem = str(error).splitlines()[0]
            raise UnusableGeneratorError(f"The model {model!r} cannot be loaded: {problem}") from None
        revision = getattr(self._pipeline.model.config, "_commit_hash", None)
        contents = contents_of(Path(model)) if Path(model).is_dir() else revision
        self._version = f"{Path(model).name}@{contents}" if contents else Path(model).name

    @property
    def identity(self) -> Mapping[str, str]:
        """The model by name with its revision, where it came from a hub, or with what its folder holds."""
        return {
            "generator": "transformers",
            "version": self._version,
            "temperature": str(self._temperature),
            "max_tokens": str(self._max_tokens),
        }

    def reserve(self, request: Request) -> int:
        """The prompt as this model counts it and the longest answer that is allowed."""
        return len(self._ids(self._prompt(request))) + self._max_tokens

    def answer(self, request: Request) -> Answer:
        """What the model adds to the prompt; the request decides the throws."""
        self._transformers.set_seed(request.model_seed())
        prompt, tokenizer = self._prompt(request), self._pipeline.tokenizer
        found = self._pipeline(
            prompt,
            max_new_tokens=self._max_tokens,
            do_sample=True,
            temperature=self._temperature,
            return_tensors=True,
            add_special_tokens=False,
        )
        read = len(self._ids(prompt))
        written = list(found[0]["generated_token_ids"])[read:]
        usage = Usage(read, len(written))
        if len(written) >= self._max_tokens and written[-1] != tokenizer.eos_token_id:
            raise FailedError("cut_short", usage)
        text = str(tokenizer.decode(written, skip_special_tokens=True))
        if not text.strip():
            raise FailedError("empty_answer", usage)
        return Answer(text, usage)

    def _ids(self, prompt: str) -> list[int]:
        return list(self._pipeline.tokenizer(prompt, add_special_tokens=False)["input_ids"])

    def _prompt(self, request: Request) -> str:
        """The request in the form of chat that the model knows, or plain where it knows none."""
        tokenizer = self._pipeline.tokenizer
        if not tokenizer.chat_template:
            return f"{request.system}\n\n{request.prompt}\n\n"
        messages = [
            {"role": "system", "content": request.system},
            {"role": "user", "content": request.prompt},
        ]
        return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))


def contents_of(folder: Path) -> str:
    """A digest of a model's files: settings and words whole, of large weights the size and both ends."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix in MODEL_FILES):
        size = path.stat().st_size
        digest.update(f"{path.relative_to(folder).as_posix()} {size}\n".encode())
        with path.open("rb") as file:
            digest.update(file.read(END_BYTES))
            file.seek(max(size - END_BYTES, file.tell()))
            digest.update(file.read())
    return digest.hexdigest()[:16]


def _imported() -> Any:
    try:
        importlib.import_module("torch")
        return importlib.import_module("transformers")
    except ImportError as missing:
        raise UnusableGeneratorError(MISSING.format(missing=missing.name)) from None
