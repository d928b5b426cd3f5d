"""Any endpoint that speaks the chat completions of OpenAI: vLLM, Triton's front end, Ollama, NIM."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .port import (
    Answer,
    BusyError,
    FailedError,
    RefusedError,
    Request,
    UnreachableError,
    UnusableGeneratorError,
    Usage,
)

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAI
    from openai.types.chat import ChatCompletion

BUSY = {408, 409, 425, 429}
NO_KEY = "none"  # servers of one's own ask for none, the client insists on one
CHARACTERS_PER_TOKEN = 3  # fewer than English needs, so that what is reserved is not too little


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model behind an address, and how it is asked."""

    base_url: str
    model: str
    api_key: str = field(default=NO_KEY, repr=False)  # no message may show it
    temperature: float = 0.9
    max_tokens: int = 2048
    timeout_seconds: float = 120.0


class EndpointGenerator:
    """Asks the model for one dialogue at a time; who asks again, and when, is decided elsewhere."""

    most_at_once: int | None = None

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._client = _client_of(endpoint)

    @property
    def identity(self) -> Mapping[str, str]:
        """The model and its settings; not the address, since the same model may move."""
        return {
            "generator": "openai",
            "version": self._endpoint.model,
            "temperature": str(self._endpoint.temperature),
            "max_tokens": str(self._endpoint.max_tokens),
        }

    def reserve(self, request: Request) -> int:
        """The prompt, generously counted, and the longest answer that is allowed."""
        return (len(request.system) + len(request.prompt)) // CHARACTERS_PER_TOKEN + self._endpoint.max_tokens

    def _all_of_it(self, request: Request) -> Usage:
        """What is not counted is taken as the most that it can be."""
        return Usage(completion_tokens=self.reserve(request))

    def answer(self, request: Request) -> Answer:
        """One chat completion."""
        import openai

        try:
            completion = self._client.chat.completions.create(
                model=self._endpoint.model,
                messages=[
                    {"role": "system", "content": request.system},
                    {"role": "user", "content": request.prompt},
                ],
                temperature=self._endpoint.temperature,
                max_tokens=self._endpoint.max_tokens,
                seed=request.model_seed(),
            )
        except openai.APIStatusError as error:
            raise _status_error(error) from None
        except openai.APITimeoutError as error:  # it may have been answered, and paid for, all the same
            raise BusyError(type(error).__name__, usage=self._all_of_it(request)) from None
        except openai.APIConnectionError as error:
            raise UnreachableError(type(error).__name__) from None
        except (openai.OpenAIError, ValueError):
            raise BusyError("unreadable_answer", usage=self._all_of_it(request)) from None
        return self._answer_in(completion, request)

    def _answer_in(self, completion: ChatCompletion, request: Request) -> Answer:
        choices = getattr(completion, "choices", None)
        if not choices or choices[0].message is None:
            raise BusyError("unreadable_answer", usage=self._all_of_it(request))
        choice, text = choices[0], choices[0].message.content or ""
        usage = (
            Usage(completion.usage.prompt_tokens or 0, completion.usage.completion_tokens or 0)
            if completion.usage
            else self._all_of_it(request)
        )
        if choice.message.refusal or choice.finish_reason == "content_filter":
            raise RefusedError("refused", usage)
        if choice.finish_reason == "length":
            raise FailedError("cut_short", usage)
        if not text.strip():
            raise FailedError("empty_answer", usage)
        return Answer(text, usage)


def _client_of(endpoint: Endpoint) -> OpenAI:
    import openai  # late: the site and the grammar never need it

    if not endpoint.base_url.startswith(("http://", "https://")):
        raise UnusableGeneratorError(
            f"The address {endpoint.base_url!r} is none of an endpoint; it begins with http:// or https://."
        )
    return openai.OpenAI(
        base_url=endpoint.base_url,
        api_key=endpoint.api_key,
        timeout=endpoint.timeout_seconds,
        max_retries=0,  # retries are counted, spread and listed in one place
    )


def _status_error(error: APIStatusError) -> BusyError | FailedError | RefusedError | UnusableGeneratorError:
    status = error.status_code
    if status in {401, 403, 404}:
        return UnusableGeneratorError(
            f"The endpoint answers {status}: check its address, the name of the model and the key."
        )
    if status in BUSY or status >= 500:
        return BusyError(f"status_{status}", _seconds(error.response.headers.get("retry-after")))
    if error.code == "content_filter":
        return RefusedError("refused")
    return FailedError(f"status_{status}")


def _seconds(header: str | None) -> float | None:
    try:
        return max(0.0, float(header)) if header else None
    except ValueError:  # a date: the usual pause does
        return None
