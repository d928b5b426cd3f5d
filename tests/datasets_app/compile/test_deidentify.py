"""De-identification: what is taken out, what is left, and that a second look finds nothing."""

from collections.abc import Mapping

import pytest

from datasets_app.compile import deidentify as patterns
from datasets_app.compile import stages
from datasets_app.compile.stages import Deidentified, fault_of, normalise
from datasets_app.sources.records import Turn


def deidentify(text: str) -> tuple[str, Mapping[str, int]]:
    (suspicions,) = patterns.suspected([text])
    return patterns.deidentify(text, suspicions)


def deidentified(*turns: Turn, keeps_names: bool = False) -> Deidentified:
    return next(stages.deidentified([turns], keeps_names=keeps_names))


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Write to anna.b+x@mail.example.org, please.", "Write to [EMAIL], please."),
        ("See https://example.org/a?b=c.", "See [URL]."),
        ("It is at www.example.org/help!", "It is at [URL]!"),
        ("My number is 555-123-4567.", "My number is [PHONE]."),
        ("Call (555) 123-4567 today", "Call [PHONE] today"),
        ("Ring +44 20 7946 0958 or 0161 496 0000", "Ring [PHONE] or [PHONE]"),
        ("SSN 123-45-6789", "SSN [SSN]"),
        ("I live at 12 Old Mill Road.", "I live at [ADDRESS]."),
        ("I am @anna_b there", "I am [HANDLE] there"),
        ("My name is Anna Berg and I", "My name is [NAME] and I"),
        ("my name's Anna.", "my name's [NAME]."),
        ("You can call me Anna", "You can call me [NAME]"),
        ("Dr. Berg told me", "Dr. [NAME] told me"),
    ],
)
def test_what_tells_who_somebody_is_goes(text: str, clean: str) -> None:
    found, spans = deidentify(text)
    assert found == clean
    assert sum(spans.values()) == clean.count("[")
    assert deidentify(found) == (found, {})


@pytest.mark.parametrize(
    "text",
    [
        "Call or text 988, or 911 when it is urgent; in Britain 116 123.",
        "The line is 1-800-273-8255, text HOME to 741741.",
        "I was born in 1987 and took 20 mg, 3 times, for 2019-2020.",
        "I'm Christian, I'm Anxious, I am German.",
        "Call me crazy, but call me Crazy once more.",
        "Dr. Freud and Dr. Linehan said so.",
        "Meet me @ home at 7.30; on a scale of 1-10 it is 8.",
        "I, like, you know, felt like nothing, and, well, tired.",
        "My name is mud.",
        "In 5 Years I will be on Track.",
    ],
)
def test_what_does_not_stays(text: str) -> None:
    assert deidentify(text) == (text, {})


def test_a_long_number_asks_for_a_look() -> None:
    assert deidentified(Turn("user", "My case is 123456789012.")).status == "requires_review"
    assert deidentified(Turn("user", "I am 34, he is 36.")).status == "none_detected"


def test_people_who_are_made_up_keep_their_names_and_nothing_else() -> None:
    said = "My name is Ada. Dr Chen is at ada@chen.example."
    kept = deidentified(Turn("user", said), keeps_names=True)
    assert kept.turns[0].content == "My name is Ada. Dr Chen is at [EMAIL]."
    assert (kept.status, kept.spans) == ("scrubbed", {"EMAIL": 1})


def test_spans_are_counted_over_the_turns() -> None:
    found = deidentified(Turn("user", "a@b.example or c@d.example"), Turn("assistant", "www.e.example"))
    assert (found.status, found.spans) == ("scrubbed", {"EMAIL": 2, "URL": 1})


def test_filler_words_and_commas_are_not_noise() -> None:
    said = "I, like, you know, felt like nothing, and, um, well, tired."
    assert normalise((Turn("user", said),))[0].content == said


def test_what_nobody_sees_goes() -> None:
    assert normalise((Turn("user", "\ufeffa\u200b b\u00a0c\x07\n\td "),))[0].content == "a b c\n\td"
    assert normalise((Turn("user", "e\u0301"),))[0].content == "é"


def test_a_conversation_has_two_sides() -> None:
    user, reply = Turn("user", "a"), Turn("assistant", "b")
    assert fault_of((user, reply)) == ""
    assert fault_of((user, Turn("system", "c"))) == fault_of((reply,)) == "one_sided"
    assert fault_of((user, Turn("assistant", ""))) == "empty_text"


def test_curly_quotes_stay_and_what_is_beside_them_in_utf8_goes() -> None:
    said = "“I don’t”\u2060 — no\u00ad\u202fmore…"  # noqa: RUF001 -- typographic signs are what is tried
    assert normalise((Turn("user", said),))[0].content == "“I don’t” — no more…"  # noqa: RUF001
