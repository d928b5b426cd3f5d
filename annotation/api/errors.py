"""The refusals of the labelling services as answers of the API."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.http import Http404
from rest_framework.exceptions import APIException

from annotation.assignment.queue import CampaignNotOpenError
from annotation.labelling import services
from annotation.schemes.answers import AnswerErrors
from prometheus_site.api.errors import field_name

CONFLICTS: dict[type[Exception], str] = {
    services.KeyReusedError: "key_reused",
    services.AlreadyLabelledError: "already_labelled",
    services.LockedError: "locked",
    services.CampaignClosedError: "campaign_closed",
    services.NotYoursError: "not_yours_any_more",
    services.RestFirstError: "rest_first",
    CampaignNotOpenError: "campaign_closed",
}


class RefusedError(APIException):
    """A refusal with a code for programs and, for answers, a sentence per dimension."""

    def __init__(self, status: int, detail: str, code: str, errors: dict[str, str] | None = None) -> None:
        super().__init__(detail, code)
        self.status_code = status
        self.body: dict[str, Any] = {"detail": detail, "code": code}
        if errors is not None:
            self.body["errors"] = {field_name(key): words for key, words in errors.items()}


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what the services raise into answers: 409 stops a program, 422 asks for other answers."""
    try:
        yield
    except AnswerErrors as wrong:
        detail = "Not saved: some answers are missing or do not fit together."
        raise RefusedError(422, detail, "answers_refused", wrong.errors) from None
    except services.SlotUnknownError as unknown:
        raise Http404 from unknown
    except tuple(CONFLICTS) as conflict:
        raise RefusedError(409, str(conflict), CONFLICTS[type(conflict)]) from conflict
    except services.LabelNotRecordedError as refused:
        raise RefusedError(422, str(refused), "refused") from refused
