"""What a model is told before it is asked for any dialogue: the picture, what is expected, and the rules."""

from datasets_app.synthesis.grammar import CategoryGrammar

WORDS_OF_SETTING = {
    "clinic": "face to face in a clinic",
    "video": "on a video call",
    "phone": "on the phone",
    "text_chat": "in a text chat",
    "community": "on a visit at the client's home",
    "primary_care": "in a general practice",
}
RULES = (
    "Never name or hint at a method, dose, amount, place, object or other means of harm, nor how it is done.",
    "No graphic detail of injury, death or abuse. Nothing sexual that involves a minor.",
    'No glamour, and death is never a solution. Say "died by suicide".',
    "The therapist asks directly and in plain words about intent to die or to hurt others, and whether "
    "anything is within reach, as a question to be answered with yes or no.",
    "The therapist promises no secrecy, does not dismiss or lecture, and never ends without a next contact.",
    "Name no telephone number, service or address other than those given.",
)


def system_words(grammar: CategoryGrammar) -> str:
    """What holds for every dialogue of a category."""
    lines = [
        "You write realistic dialogues between a client in crisis and a therapist, from which clinicians "
        "learn how to respond well. They are read by licensed clinicians and follow safe-messaging guidance.",
        f"Clinical picture: {grammar.clinical_construct}.",
        "The therapist:",
        *(f"- {item}" for item in grammar.expected_response),
        "It must not contain:",
        *(f"- {item}" for item in grammar.prohibited),
        "Rules without exception:",
        *(f"- {rule}" for rule in RULES),
    ]
    return "\n".join(lines)


def form_words(help_line: str, emergency: str) -> list[str]:
    """In which form the dialogue is to be written."""
    return [
        f"In one of the last turns the therapist names {help_line}, and {emergency} for immediate danger, in "
        "exactly these words.",
        "Write 12 to 18 turns that alternate, the client first and the therapist last. Begin each turn on a "
        "new line with `Client:` or `Therapist:` and write nothing else.",
    ]
