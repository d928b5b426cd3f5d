"""The form that starts a run: which steps, with which seed, in earnest or as a rehearsal."""

from typing import Any

from django import forms

from datasets_app.phase1.state import STEPS
from datasets_app.runs.steps import TITLES

MOST_SEED = 2**63 - 1  # what the column holds
MOST_SCALE = 100


class StartForm(forms.Form):
    """Paths are the installation's settings: nothing here can name one."""

    steps = forms.MultipleChoiceField(
        label="Steps",
        choices=[(name, f"{TITLES[name][0]}: {TITLES[name][1]}") for name in STEPS],
        widget=forms.CheckboxSelectMultiple,
        help_text="All of them, or single ones, for which the steps before must have been done once. "
        "What is unchanged is not done again.",
        error_messages={"required": "Choose one step or more."},
    )
    seed = forms.IntegerField(
        label="Seed",
        required=False,
        min_value=0,
        max_value=MOST_SEED,
        help_text="The same seed makes the same dataset. Empty: the one of the plan.",
    )
    scale = forms.IntegerField(
        label="Synthesis, times",
        initial=1,
        min_value=1,
        max_value=MOST_SCALE,
        help_text="1 is in earnest. More is a rehearsal: so many times the made-up dialogues, marked as a "
        "rehearsal everywhere, and published beside the real dataset.",
    )


def initial_for(step: str) -> dict[str, Any]:
    """Return the form's initial values: the one step that a link names, else all of them."""
    return {"steps": [step] if step in STEPS else list(STEPS), "scale": 1}
