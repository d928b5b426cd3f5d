"""The port against a real server of chat completions: bounded, patient, within budget, nothing twice."""

import importlib.util
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from datasets_app.generators import local_model
from datasets_app.generators.answers import AnswerFile, NotAnswersError
from datasets_app.generators.asking import Asker, Limits, Outcome
from datasets_app.generators.endpoint import Endpoint, EndpointGenerator
from datasets_app.generators.local_model import LocalGenerator, contents_of
from datasets_app.generators.port import Generator, Request, UnusableGeneratorError
from datasets_app.generators.replay import ReplayGenerator

from .chat_server import KEY, ChatServer, Handler, busy, chat_server, dropped

QUICK = Limits(at_once=2, tries=3, first_pause_seconds=0.001, longest_pause_seconds=0.002)


@pytest.fixture
def chat() -> Iterator[ChatServer]:
    with chat_server() as server:
        yield server


def request(number: int = 0, attempt: int = 0) -> Request:
    return Request(f"talk/{number}", attempt, 5, {}, {}, "Be careful.", f"Talk number {number}.")


def generator(chat: ChatServer, **changed: object) -> EndpointGenerator:
    endpoint = Endpoint(chat.url, "small-model", KEY, max_tokens=200, timeout_seconds=20)
    return EndpointGenerator(replace(endpoint, **changed))  # type: ignore[arg-type]


def asked(
    source: Generator, path: Path, requests: list[Request], limits: Limits = QUICK
) -> tuple[list[Outcome], int]:
    with AnswerFile(path) as answers, Asker(source, answers, limits) as asker:
        return asker.ask(requests), asker.spent_tokens


def test_outcomes_come_in_the_order_of_the_requests_and_are_never_asked_twice(
    chat: ChatServer, tmp_path: Path
) -> None:
    chat.write = lambda asked: f"Client: {asked['messages'][-1]['content']}"
    requests = [request(number) for number in range(9)]
    first, spent = asked(generator(chat), tmp_path / "answers", requests)
    again, spent_again = asked(generator(chat), tmp_path / "answers", requests)
    assert [outcome.text for outcome in first] == [f"Client: Talk number {n}." for n in range(9)]
    assert again == first
    assert set(chat.times.values()) == {1}
    assert (spent, spent_again) == (9 * 150, 9 * 150)
    sent = chat.asked[0]
    assert sent["model"] == "small-model"
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]


def test_another_word_another_model_or_another_setting_is_another_answer(
    chat: ChatServer, tmp_path: Path
) -> None:
    path = tmp_path / "answers"
    asked(generator(chat), path, [request()])
    asked(generator(chat), path, [replace(request(), system="Be kind.")])
    asked(generator(chat), path, [request(attempt=1)])
    asked(generator(chat, model="large-model"), path, [request()])
    assert len(chat.asked) == 4
    asked(generator(chat), path, [request()])
    assert len(chat.asked) == 4


def test_so_many_at_once_and_never_more(chat: ChatServer, tmp_path: Path) -> None:
    chat.meets = threading.Barrier(3)  # nobody is answered before three are there
    limits = replace(QUICK, at_once=3)
    outcomes, _ = asked(generator(chat), tmp_path / "answers", [request(n) for n in range(12)], limits)
    assert {outcome.status for outcome in outcomes} == {"answered"}
    assert chat.most_at_once == 3


def test_a_busy_server_is_asked_again_after_growing_random_pauses(chat: ChatServer, tmp_path: Path) -> None:
    chat.faults = [busy(500), dropped, busy(503), busy(429, retry_after="7")]
    pauses: list[float] = []
    limits = Limits(at_once=1, tries=6, first_pause_seconds=4, longest_pause_seconds=20)
    with (
        AnswerFile(tmp_path / "answers") as answers,
        Asker(generator(chat), answers, limits, pause=pauses.append) as asker,
    ):
        outcomes = asker.ask([request()])
    assert outcomes[0].status == "answered"
    assert len(chat.asked) == 5
    assert [pause <= most for pause, most in zip(pauses, (4, 8, 16, 20), strict=True)] == [True] * 4
    assert pauses[3] >= 7
    assert len(set(pauses)) == 4


def test_who_stays_busy_is_named_and_asked_again_by_the_next_run(chat: ChatServer, tmp_path: Path) -> None:
    chat.faults = [busy(503)] * 3
    first, _ = asked(generator(chat), tmp_path / "answers", [request()])
    assert (first[0].status, first[0].reason) == ("not_asked", "status_503")
    second, _ = asked(generator(chat), tmp_path / "answers", [request()])
    assert second[0].status == "answered"


def test_refusals_and_failures_are_kept_with_their_reason(chat: ChatServer, tmp_path: Path) -> None:
    chat.faults = [
        lambda handler: handler.complete(None, refusal="I cannot help with that."),
        lambda handler: handler.complete("Client: I", reason="content_filter"),
        lambda handler: handler.complete("Client: I", reason="length"),
        lambda handler: handler.complete(" "),
        busy(400),
    ]
    one = replace(QUICK, at_once=1)
    requests = [request(n) for n in range(6)]
    outcomes, _ = asked(generator(chat), tmp_path / "answers", requests, one)
    assert [(outcome.status, outcome.reason) for outcome in outcomes] == [
        ("refused", "refused"),
        ("refused", "refused"),
        ("failed", "cut_short"),
        ("failed", "empty_answer"),
        ("failed", "status_400"),
        ("answered", ""),
    ]
    assert asked(generator(chat), tmp_path / "answers", requests, one)[0] == outcomes
    assert len(chat.asked) == 6


def test_an_answer_that_is_no_completion_is_asked_for_again(chat: ChatServer, tmp_path: Path) -> None:
    chat.faults = [
        lambda handler: handler.reply(200, b"<html>"),
        lambda handler: handler.reply(200, {"choices": []}),
    ]
    outcomes, _ = asked(generator(chat), tmp_path / "answers", [request()])
    assert outcomes[0].status == "answered"
    assert len(chat.asked) == 3


@pytest.mark.parametrize("changed", [{"api_key": "wrong"}, {"base_url": "/elsewhere"}])
def test_a_wrong_key_or_address_stops_everything(
    chat: ChatServer, tmp_path: Path, changed: dict[str, str]
) -> None:
    if "base_url" in changed:
        changed = {"base_url": chat.url + changed["base_url"]}
    with pytest.raises(UnusableGeneratorError, match="check its address, the name of the model and the key"):
        asked(generator(chat, **changed), tmp_path / "answers", [request()])


def test_an_address_without_a_scheme_is_refused(chat: ChatServer) -> None:
    with pytest.raises(UnusableGeneratorError, match="http"):
        generator(chat, base_url="localhost:8000")


def test_the_budget_is_never_exceeded_and_counts_what_was_spent_before(
    chat: ChatServer, tmp_path: Path
) -> None:
    source, path = generator(chat), tmp_path / "answers"
    requests = [request(n) for n in range(8)]
    most = 3 * 150 + source.reserve(request())  # room for a fourth answer, whatever it costs
    outcomes, spent = asked(source, path, requests, replace(QUICK, most_tokens=most))
    statuses = [outcome.status for outcome in outcomes]
    assert statuses.count("answered") == 4
    assert spent == 600 <= most
    assert {outcome.reason for outcome in outcomes if outcome.status == "not_asked"} == {"over_budget"}
    more, spent = asked(source, path, requests, replace(QUICK, most_tokens=10_000))
    assert [outcome.status for outcome in more] == ["answered"] * 8
    assert spent == 1200
    assert len(chat.asked) == 8


def late(handler: Handler) -> None:
    """A fault: the answer comes when nobody waits for it any more."""
    assert handler.chat.gone.wait(timeout=20)
    handler.close_connection = True


def test_an_answer_that_came_too_late_counts_against_the_budget_in_later_runs_too(
    chat: ChatServer, tmp_path: Path
) -> None:
    source, path = generator(chat, timeout_seconds=0.2), tmp_path / "answers"
    dearest = source.reserve(request())
    one = replace(QUICK, at_once=1, tries=2, most_tokens=2 * dearest + 150)
    chat.faults = [late, late]
    outcomes, spent = asked(source, path, [request(0)], one)
    chat.gone.set()
    assert (outcomes[0].status, outcomes[0].reason) == ("not_asked", "APITimeoutError")
    assert spent == 2 * dearest
    outcomes, spent = asked(source, path, [request(0)], one)
    assert (outcomes[0].reason, spent) == ("over_budget", 2 * dearest)
    outcomes, spent = asked(source, path, [request(0)], replace(one, most_tokens=3 * dearest))
    assert (outcomes[0].status, spent) == ("answered", 2 * dearest + 150)
    assert len(chat.asked) == 3


def test_a_try_that_the_budget_does_not_allow_is_not_made(chat: ChatServer, tmp_path: Path) -> None:
    chat.faults = [lambda handler: handler.reply(200, b"<html>")] * 3
    source = generator(chat)
    limits = replace(QUICK, most_tokens=source.reserve(request()))
    outcomes, spent = asked(source, tmp_path / "answers", [request()], limits)
    assert (outcomes[0].reason, spent, len(chat.asked)) == ("over_budget", limits.most_tokens, 1)


def test_where_nobody_is_there_the_run_stops_with_a_sentence_and_keeps_what_was_answered(
    chat: ChatServer, tmp_path: Path
) -> None:
    path = tmp_path / "answers"
    requests = [request(n) for n in range(50)]
    chat.faults = [*[lambda handler: handler.complete("Client: Hello.")] * 4, *[dropped] * 200]
    with pytest.raises(
        UnusableGeneratorError, match=r"Nobody answers: 3 dialogues running .* answered is kept"
    ):
        asked(generator(chat), path, requests, replace(QUICK, at_once=1))
    assert len(chat.asked) == 4 + 3 * QUICK.tries
    chat.faults = []
    outcomes, _ = asked(generator(chat), path, requests)
    assert {outcome.status for outcome in outcomes} == {"answered"}
    assert len(chat.asked) == 4 + 3 * QUICK.tries + 46


def test_half_a_surrogate_pair_is_a_failure_and_stops_nothing(chat: ChatServer, tmp_path: Path) -> None:
    chat.write = lambda asked: (
        "Client: \ud83d" if "number 0" in asked["messages"][-1]["content"] else "Client: x"
    )
    requests = [request(0), request(1)]
    outcomes, spent = asked(generator(chat), tmp_path / "answers", requests)
    assert [(outcome.status, outcome.reason) for outcome in outcomes] == [
        ("failed", "invalid_text"),
        ("answered", ""),
    ]
    assert spent == 300
    assert asked(generator(chat), tmp_path / "answers", requests)[0] == outcomes


def test_a_line_cut_off_by_a_stop_is_dropped_and_the_rest_is_kept(chat: ChatServer, tmp_path: Path) -> None:
    path = tmp_path / "answers"
    requests = [request(n) for n in range(3)]
    whole, _ = asked(generator(chat), path, requests, replace(QUICK, at_once=1))
    data = path.read_bytes()
    path.write_bytes(data[:-40])
    assert asked(generator(chat), path, requests)[0] == whole
    assert len(chat.asked) == 4
    assert len(path.read_bytes().splitlines()) == 3


def test_a_file_of_something_else_is_refused_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "answers"
    path.write_text('{"messages": []}\n')
    with pytest.raises(NotAnswersError, match="row 1: this is no recorded answer"):
        AnswerFile(path)


def test_a_recording_without_answers_is_refused_and_the_file_is_for_us_alone(tmp_path: Path) -> None:
    with AnswerFile(tmp_path / "answers"):
        assert (tmp_path / "answers").stat().st_mode & 0o077 == 0
    with pytest.raises(UnusableGeneratorError, match="holds no recorded answers"):
        ReplayGenerator(tmp_path / "answers")


def test_two_runs_do_not_share_a_file(tmp_path: Path) -> None:
    with AnswerFile(tmp_path / "answers"), pytest.raises(NotAnswersError, match="in use by another run"):
        AnswerFile(tmp_path / "answers")


def test_a_replay_gives_the_recorded_answers_and_names_what_was_not_recorded(
    chat: ChatServer, tmp_path: Path
) -> None:
    chat.faults = [lambda handler: handler.complete(None, refusal="No.")]
    requests = [request(n) for n in range(3)]
    recorded, _ = asked(generator(chat), tmp_path / "answers", requests, replace(QUICK, at_once=1))
    replay = ReplayGenerator(tmp_path / "answers")
    outcomes, spent = asked(replay, tmp_path / "again", [*requests, request(9)])
    assert outcomes[:3] == recorded
    assert (outcomes[3].status, outcomes[3].reason) == ("failed", "not_recorded")
    assert spent == 0
    assert replay.identity["generator"] == "openai"
    assert len(chat.asked) == 3


def test_a_replay_of_two_generators_is_ambiguous(chat: ChatServer, tmp_path: Path) -> None:
    asked(generator(chat), tmp_path / "answers", [request()])
    asked(generator(chat, model="large-model"), tmp_path / "answers", [request()])
    with pytest.raises(NotAnswersError, match="two generators answered the same request"):
        ReplayGenerator(tmp_path / "answers")


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="torch is here")
def test_without_torch_a_local_model_says_what_to_install() -> None:
    with pytest.raises(UnusableGeneratorError, match=r"local-model"):
        LocalGenerator("any")


def test_a_local_model_answers_the_same_again_and_says_when_it_was_cut_short(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not here: no local model can be run")
    from tests.datasets_app.generators.tiny_model import write_tiny_model

    model = str(write_tiny_model(tmp_path / "tiny"))
    requests = [request(1), request(2)]
    outcomes, spent = asked(LocalGenerator(model, max_tokens=200), tmp_path / "one", requests)
    assert LocalGenerator(model).identity["version"] == f"tiny@{contents_of(Path(model))}"
    again, _ = asked(LocalGenerator(model, max_tokens=200), tmp_path / "two", requests)
    short, _ = asked(LocalGenerator(model, max_tokens=3), tmp_path / "three", requests)
    assert [outcome.status for outcome in outcomes] == ["answered"] * 2
    assert outcomes[0].text != outcomes[1].text
    assert again == outcomes
    assert {outcome.reason for outcome in short} == {"cut_short"}
    assert spent > 20


def test_a_local_model_is_known_by_what_its_folder_holds_and_not_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_model, "END_BYTES", 100)
    folders = [tmp_path / "one" / "model", tmp_path / "two" / "model"]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        (folder / "model.safetensors").write_bytes(bytes(1000))
        (folder / "README.md").write_text(str(folder))
    one, other = folders
    assert contents_of(one) == contents_of(other)
    for change in (b"x" + bytes(999), bytes(999) + b"x", bytes(1001)):
        (other / "model.safetensors").write_bytes(change)
        assert contents_of(one) != contents_of(other)
    (other / "model.safetensors").write_bytes(bytes(1000))
    (other / "config.json").write_text('{"a": 1}')
    assert contents_of(one) != contents_of(other)


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not here: no local model can be run")
    with pytest.raises(UnusableGeneratorError, match="cannot be loaded"):
        LocalGenerator(str(tmp_path / "nothing"))


def test_a_file_that_holds_no_answers_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "notes.json"
    path.write_text('{"note": "my only copy"}')
    with pytest.raises(NotAnswersError, match="not an answer"):
        AnswerFile(path)
    assert path.read_text() == '{"note": "my only copy"}'


def test_no_message_shows_the_key_of_an_endpoint() -> None:
    assert "sk-secret" not in repr(Endpoint("http://localhost", "model", "sk-secret"))
