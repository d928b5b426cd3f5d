"""Turns out of what models write: every common form read, nothing guessed."""

import pytest

from datasets_app.generators.transcript import TranscriptError, turns_in
from datasets_app.synthesis.dialogue import Turn

TALK = (Turn("user", "I can't go on."), Turn("assistant", "I'm with you."))


@pytest.mark.parametrize(
    "text",
    [
        "Client: I can't go on.\nTherapist: I'm with you.",
        "**Client:** I can't go on.\n\n**Therapist:** I'm with you.",
        "**Client**: I can\u2019t go on.\r\n**Therapist**: I\u2019m with you.\r\n",
        "Here is the dialogue:\n\nClient: I can't go on.\nTherapist: I'm with you.\n\n---\n[End]",
        "1. Client: I can't go on.\n2. Therapist: I'm with you.",
        "```text\nclient: I can't go on.\ntherapist: I'm with you.\n```",
        "Client (quietly): I can't go on.\nTherapist (leaning in): I'm with you.",
        "- Patient: I can't go on.\n- Counsellor: I'm with you.\n(End of dialogue)",
        '[{"role": "client", "content": "I can\'t go on."},'
        '{"speaker": "Therapist", "text": "I\'m with you."}]',
        '```json\n{"turns": [{"role": "user", "content": "I can\'t go on."},'
        ' {"role": "assistant", "content": "I\'m with you."}]}\n```',
    ],
)
def test_every_common_form_is_read(text: str) -> None:
    assert turns_in(text) == TALK


@pytest.mark.parametrize(
    "text",
    [
        "Title: A hard night\n**Setting:** a clinic\nClient: I can't go on.\nTherapist: I'm with you.",
        "Here is the dialogue you asked for:\nClient: I can't go on.\nTherapist: I'm with you.",
        "Sure: here it is.\nClient: I can't go on.\nTherapist: I'm with you.",
    ],
)
def test_headings_before_the_first_turn_are_no_part_of_it(text: str) -> None:
    assert turns_in(text) == TALK


def test_a_line_that_only_looks_like_a_label_is_said() -> None:
    text = "Client: It was\nat 10:30: I was\nnot there yet: too late.\nand the thing is: no.\nTherapist: Yes."
    assert turns_in(text)[0].content.count("\n") == 3


def test_a_turn_of_several_lines_stays_whole_and_neighbours_are_joined() -> None:
    text = "Client: One.\n\nTwo: or so I thought.\n\nTherapist: Three.\nTherapist: Four."
    with pytest.raises(TranscriptError, match="unknown_speaker"):
        turns_in(text)
    text = text.replace("Two: or", "and two: or")
    assert turns_in(text) == (
        Turn("user", "One.\n\nand two: or so I thought."),
        Turn("assistant", "Three.\nFour."),
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("I'm sorry, but I can't help with that.", "refused"),
        ("It was a dark night.", "no_turns"),
        ("", "no_turns"),
        ("Client: Hello.\nNarrator: She waits.\nTherapist: Hello.", "unknown_speaker"),
        ("Client: Hello.\n**Husband:** Stop.\nTherapist: Hello.", "unknown_speaker"),
        ("Client: Hello.\nPatient Advocate: He means it.\nTherapist: Hello.", "unknown_speaker"),
        ("Client: Hello.\nClient's mother: He means it.\nTherapist: Hello.", "unknown_speaker"),
        ("Client: Hello.\nThe client's mother-in-law: No.\nTherapist: Hello.", "unknown_speaker"),
        ("Client: Hello.\nClient 2: He means it.\nTherapist: Hello.", "unknown_speaker"),
        ("Client: Hello.\n**Client & Mother**: Both.\nTherapist: Hello.", "unknown_speaker"),
        ("Client: Hello.\nmother (crying): Stop.\nTherapist: Hello.", "unknown_speaker"),
        ("Client: Hello.\nJosé: Stop.\nTherapist: Hello.", "unknown_speaker"),
        ("Client: Hello.\nTherapist Assistant: Hi.\nTherapist: Hello.", "unknown_speaker"),
        ("Mother: He is here.\nClient: Hello.\nTherapist: Hello.", "unknown_speaker"),
        ('[{"role": "client", "content": "\\ud83d"}]', "invalid_text"),
        ("Client: He\0llo.\nTherapist: Hello.", "invalid_text"),
        ("Client: Hello.\nTherapist:\nClient: Are you there?", "empty_turn"),
        ('[{"role": "narrator", "content": "She waits."}]', "unknown_speaker"),
        ('[{"role": "client", "content": 3}]', "no_turns"),
        ('["Client: hello"]', "no_turns"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(TranscriptError, match=reason):
        turns_in(text)
