"""What a senior fills in: an answer to a case, and what counts as dangerous."""

from collections.abc import Iterator
from typing import Any

from django import forms

from annotation.dangerous import policy

NOT_RATABLE = "none"
IN_WORDS = {0: "no case", 4: "within 4 h", 24: "within 24 h", 72: "within 72 h"}
REASON_LIMIT_CHARACTERS = 2000


class AnswerForm(forms.Form):
    """The senior's own judgement of the text."""

    level = forms.ChoiceField(
        label="Crisis intensity in your judgement",
        choices=[*((str(level), str(level)) for level in policy.LEVELS), (NOT_RATABLE, "Cannot be rated")],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label="What decided it",
        max_length=REASON_LIMIT_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Name the clause of the guideline. Encrypted; the labels stay as they are.",
    )

    def clean_level(self) -> int | None:
        level: str = self.cleaned_data["level"]
        return None if level == NOT_RATABLE else int(level)


class MatrixForm(forms.Form):
    """How soon a senior answers, for every two levels; what is dangerous by itself is never ordinary."""

    because = forms.CharField(label="Why it changes", max_length=200)

    def __init__(self, *args: Any, hours: policy.Hours, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for pair in policy.pairs():
            is_fixed = policy.is_dangerous(*pair)
            self.fields[_name(pair)] = forms.TypedChoiceField(
                label=f"{pair[0]} beside {pair[1]}",
                choices=[(each, IN_WORDS[each]) for each in policy.HOURS_TO_CHOOSE if each or not is_fixed],
                coerce=int,
                initial=hours[pair],
            )

    def rows(self) -> Iterator[tuple[int, list[forms.BoundField | None]]]:
        """Yield each higher level with its field beside every lower one, None where there is none."""
        for high in policy.LEVELS[1:]:
            yield high, [self[_name((low, high))] if low < high else None for low in policy.LEVELS[:-1]]

    def hours(self) -> dict[policy.Pair, int]:
        """Return what was chosen."""
        return {pair: self.cleaned_data[_name(pair)] for pair in policy.pairs()}


def _name(pair: policy.Pair) -> str:
    return f"hours_{pair[0]}_{pair[1]}"
