"""Write down an attempt at a module's questions."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from annotation.learning.content import Module, Question
from annotation.models import ModuleAttempt
from annotation.recruitment.advance import advance
from prometheus_site.accounts.models import User


@dataclass(frozen=True)
class Marked:
    """A question with the choice that was made, and whether it was the right one."""

    question: Question
    chosen: int

    @property
    def is_right(self) -> bool:
        return self.chosen == self.question.right

    @property
    def chosen_words(self) -> str:
        return self.question.choices[self.chosen]


@transaction.atomic
def answer_module(*, learner: User, module: Module, chosen: Sequence[int]) -> list[Marked]:
    """Mark the answers and write the attempt down; all of them right completes the module."""
    marked = [Marked(question, choice) for question, choice in zip(module.questions, chosen, strict=True)]
    ModuleAttempt.objects.create(
        learner=learner,
        module=module.key,
        sha256=module.sha256,
        questions=len(marked),
        right=sum(one.is_right for one in marked),
    )
    advance(person=learner, by=learner)
    return marked
