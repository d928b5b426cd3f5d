"""The words in which a model is asked for the dialogue of a seed."""

from collections.abc import Mapping

from datasets_app.generators.wording import WORDS_OF_SETTING, form_words

WORDS_OF_RECEPTION = {
    "accepts": "accepts the help that is brought in, in the end",
    "wavers": "wavers about the help to the end",
    "refuses": "refuses the help, and the therapist acts to protect life all the same, openly",
}


def prompt_words(vignette: str, opening: str, plan: Mapping[str, str], facts: Mapping[str, str]) -> str:
    """What is asked for one seed."""
    return "\n".join(
        [
            f"Situation: {vignette}",
            f"The two speak {WORDS_OF_SETTING[plan['setting']]}. The client "
            f"{WORDS_OF_RECEPTION[plan['reception']]}.",
            *form_words(facts["help_line"], facts["emergency"]),
            f"The client's first turn is: {opening}",
        ]
    )
