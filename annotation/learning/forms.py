"""The questions of a module as a form."""

from typing import Any

from django import forms

from annotation.learning.content import Module


class QuestionsForm(forms.Form):
    """One choice per question; none is chosen beforehand."""

    def __init__(self, module: Module, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number, question in enumerate(module.questions, start=1):
            self.fields[f"question-{number}"] = forms.TypedChoiceField(
                label=f"{number}. {question.asks}",
                choices=list(enumerate(question.choices)),
                coerce=int,
                widget=forms.RadioSelect,
                error_messages={"required": "Choose an answer."},
            )

    def chosen(self) -> list[int]:
        """Return the choices in the order of the questions; call when the form is valid."""
        return [self.cleaned_data[name] for name in self.fields]
