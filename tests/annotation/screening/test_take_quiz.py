"""The quiz in the browser of an applicant: drawn, timed, limited, kept, and never giving its key away."""

from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from annotation.models import QuizAnswer, QuizAttempt
from annotation.recruitment import spam
from annotation.recruitment.stages import Stage
from annotation.screening import selectors, services
from annotation.screening.policy import GRACE_SECONDS, QUIZ_MINUTES, TRIES
from prometheus_site.accounts.models import User
from tests.annotation.recruitment.applying import Stranger


def start(mara: Stranger) -> QuizAttempt:
    mara.client.post(f"{mara.page}quiz/start/")
    attempt = mara.application.attempts.select_related("bank").order_by("-number").first()
    assert attempt is not None
    return attempt


def answer(mara: Stranger, attempt: QuizAttempt, number: int, chosen: str):  # type: ignore[no-untyped-def]
    return mara.client.post(
        f"{mara.page}quiz/{number}/", {"attempt": str(attempt.pk), "chosen": chosen}, follow=True
    )


def key_of(attempt: QuizAttempt) -> list[str]:
    return [one.question.answer for one in selectors.drawn_for(attempt)]


def take(mara: Stranger, *, wrong: int = 0) -> QuizAttempt:
    """Begin a try, give so many wrong answers, the others right, and finish."""
    attempt = start(mara)
    for number, right in enumerate(key_of(attempt), start=1):
        answer(mara, attempt, number, right if number > wrong else "abcd"[("abcd".index(right) + 1) % 4])
    mara.client.post(f"{mara.page}quiz/finish/")
    attempt.refresh_from_db()
    return attempt


def test_passing_moves_the_application_on(mara: Stranger) -> None:
    attempt = take(mara)
    assert (attempt.has_passed, attempt.correct) == (True, attempt.asked)
    assert mara.application.stage == Stage.CALIBRATION
    event = mara.application.events.get(to_stage=Stage.CALIBRATION)
    assert event.moved_by is None
    assert "Passed." in mara.client.get(f"{mara.page}quiz/").content.decode()


def test_failing_leaves_it_where_it_is_with_one_more_try_of_other_questions(mara: Stranger) -> None:
    first = take(mara, wrong=15)
    assert first.has_passed is False
    assert mara.application.stage == Stage.SCREENING
    second = start(mara)
    assert second.number == 2
    assert second.seed != first.seed


def test_the_tries_are_limited(mara: Stranger) -> None:
    for _ in range(TRIES):
        take(mara, wrong=15)
    response = mara.client.post(f"{mara.page}quiz/start/", follow=True)
    assert "tries were used" in response.content.decode()
    assert mara.application.attempts.count() == TRIES
    with pytest.raises(services.NoTryLeftError):
        services.start_attempt(mara.application)


def test_two_tabs_share_one_try(mara: Stranger) -> None:
    first = start(mara)
    assert start(mara) == first
    assert mara.application.attempts.count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        QuizAttempt.objects.create(
            application=mara.application, number=2, bank=first.bank, seed=1, asked=15,
            started_at=timezone.now(), ends_at=timezone.now(),
        )  # fmt: skip


def test_the_back_button_finds_the_answer_and_may_change_it(mara: Stranger) -> None:
    attempt = start(mara)
    answer(mara, attempt, 1, "a")
    assert 'value="a" checked' in mara.client.get(f"{mara.page}quiz/1/").content.decode()
    answer(mara, attempt, 1, "b")
    key = selectors.drawn_for(attempt)[0].question.key
    assert selectors.answers_of(attempt) == {key: "b"}
    assert QuizAnswer.objects.count() == 2  # the first is kept, and does not count
    assert mara.client.get(f"{mara.page}quiz/1/")["Cache-Control"].count("no-store") == 1


def test_an_old_page_of_the_first_try_answers_nothing_in_the_second(mara: Stranger) -> None:
    first = take(mara, wrong=15)
    second = start(mara)
    response = answer(mara, first, 1, "a")
    assert "belonged to a try that is over" in response.content.decode()
    assert selectors.answers_of(second) == {}


def test_finishing_in_two_tabs_counts_once(mara: Stranger) -> None:
    take(mara)
    mara.client.post(f"{mara.page}quiz/finish/")
    assert mara.application.events.filter(to_stage=Stage.CALIBRATION).count() == 1


def test_the_server_keeps_the_time(mara: Stranger) -> None:
    attempt = start(mara)
    answer(mara, attempt, 1, key_of(attempt)[0])
    late = attempt.ends_at + timedelta(seconds=GRACE_SECONDS + 1)
    with time_machine.travel(late):
        with pytest.raises(services.TryOverError):
            services.answer_question(attempt=attempt, question="slip", chosen="a")
        page = answer(mara, attempt, 2, "a").content.decode()
        assert "The time is over" in page
        assert mara.application.attempts.get().finished_at is None  # looking counts nothing
        mara.client.post(f"{mara.page}quiz/finish/")
    attempt.refresh_from_db()
    assert (attempt.correct, attempt.has_passed) == (1, False)


def test_an_answer_that_was_on_its_way_still_counts(mara: Stranger) -> None:
    attempt = start(mara)
    with time_machine.travel(attempt.ends_at + timedelta(seconds=GRACE_SECONDS - 5)):
        services.answer_question(attempt=attempt, question="slip", chosen="a")
    assert selectors.answers_of(attempt) == {"slip": "a"}


def test_a_try_that_nobody_finished_is_counted_by_the_sweeper(mara: Stranger) -> None:
    attempt = start(mara)
    for number, right in enumerate(key_of(attempt), start=1):
        answer(mara, attempt, number, right)
    assert services.finish_overdue_attempts() == 0
    with time_machine.travel(timezone.now() + timedelta(minutes=QUIZ_MINUTES + 1)):
        assert services.finish_overdue_attempts() == 1
        assert services.finish_overdue_attempts() == 0
    assert mara.application.stage == Stage.CALIBRATION


def test_a_clock_set_back_in_the_middle_gives_no_try_and_loses_no_answer(mara: Stranger) -> None:
    attempt = start(mara)
    answer(mara, attempt, 1, "a")
    with time_machine.travel(timezone.now() - timedelta(hours=2)):
        assert start(mara) == attempt
        answer(mara, attempt, 2, "a")
    assert len(selectors.answers_of(attempt)) == 2


@pytest.mark.parametrize("chosen", ["", "z", "<script>"])
def test_what_is_not_an_answer_is_not_kept(mara: Stranger, chosen: str) -> None:
    attempt = start(mara)
    assert "Choose one of the answers" in answer(mara, attempt, 1, chosen).content.decode()
    assert QuizAnswer.objects.count() == 0


@pytest.mark.parametrize("number", [0, 16, 99])
def test_there_is_no_such_question(mara: Stranger, number: int) -> None:
    start(mara)
    assert mara.client.get(f"{mara.page}quiz/{number}/").status_code == 404


def test_feedback_never_reveals_the_key(mara: Stranger) -> None:
    pages = []
    attempt = start(mara)
    for number, _ in enumerate(key_of(attempt), start=1):
        pages.append(mara.client.get(f"{mara.page}quiz/{number}/").content.decode())
        answer(mara, attempt, number, "b")
    mara.client.post(f"{mara.page}quiz/finish/")
    pages.append(mara.client.get(f"{mara.page}quiz/").content.decode())
    pages.append(mara.client.get(mara.page).content.decode())
    for question in (one.question for one in selectors.drawn_for(attempt)):
        assert all(question.explanation not in page for page in pages)
    for word in ("correct", f"{attempt.asked} of", " of 6", " of 3"):
        assert word not in pages[-2].lower().replace("questions about", "")
    assert any(words in pages[-2] for words in ("secure", "partly", "to read again"))


def test_who_was_declined_meanwhile_does_not_move_on_by_passing(mara: Stranger, lead: User) -> None:
    attempt = start(mara)
    for number, right in enumerate(key_of(attempt), start=1):
        answer(mara, attempt, number, right)
    mara.moved(Stage.DECLINED, lead)
    services.finish_attempt(attempt)
    assert mara.application.stage == Stage.DECLINED
    assert mara.application.attempts.get().has_passed is True


def test_the_quiz_is_closed_before_its_stage(mara: Stranger, lead: User) -> None:
    mara.moved(Stage.PAUSED, lead)
    response = mara.client.post(f"{mara.page}quiz/start/", follow=True)
    assert "not open for this application" in response.content.decode()
    assert QuizAttempt.objects.count() == 0


def test_the_bank_is_stored_with_what_was_drawn_from_it(mara: Stranger) -> None:
    attempt = start(mara)
    assert attempt.bank.version == "1.0"
    assert services.store_shipped_bank() == attempt.bank


def test_the_guideline_opens_by_the_link(mara: Stranger) -> None:
    assert "C3 The six levels" in mara.client.get(f"{mara.page}guideline/").content.decode()


def test_the_same_answer_again_stores_nothing(mara: Stranger) -> None:
    attempt = start(mara)
    for chosen in ("a", "a", "b", "b", "a"):
        answer(mara, attempt, 1, chosen)
    given = QuizAnswer.objects.filter(attempt=attempt).order_by("number")
    assert list(given.values_list("chosen", flat=True)) == ["a", "b", "a"]


def test_one_address_starts_and_answers_so_often_in_an_hour(
    mara: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(spam.HOURLY, "quiz", 2)
    attempt = start(mara)
    assert answer(mara, attempt, 1, "a").status_code == 200
    assert answer(mara, attempt, 1, "b").status_code == 429
    assert mara.client.post(f"{mara.page}quiz/start/").status_code == 429
    assert list(selectors.answers_of(attempt).values()) == ["a"]
