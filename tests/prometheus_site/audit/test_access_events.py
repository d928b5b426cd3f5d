"""Who looked at what is written down: ids only, and for ever."""

import uuid

import pytest
from django.db import IntegrityError, transaction

from prometheus_site.accounts.models import User
from prometheus_site.audit.models import AccessEvent, Action
from prometheus_site.audit.services import record_access
from prometheus_site.core.append_only import AppendOnlyError
from prometheus_site.observability.logs import request_id


@pytest.mark.django_db
def test_event_says_who_did_what_to_which_object(annotator: User) -> None:
    record_access(actor=annotator, action=Action.VIEWED, obj_type="sample", obj_id="7")
    event = AccessEvent.objects.get()
    assert (event.actor, event.action, event.object_type, event.object_id) == (
        annotator,
        "viewed",
        "sample",
        "7",
    )
    assert event.at is not None
    assert str(event) == f"{annotator.pk} viewed sample 7"


@pytest.mark.django_db
@pytest.mark.parametrize("action", Action)
def test_every_action_is_taken(action: Action) -> None:
    record_access(actor=None, action=action, obj_type="sample")
    assert AccessEvent.objects.get().action == action


@pytest.mark.django_db
def test_unknown_action_is_refused_by_the_database() -> None:
    with pytest.raises(IntegrityError, match="accessevent_action_is_known"), transaction.atomic():
        AccessEvent.objects.create(action="peeked", object_type="sample")


@pytest.mark.django_db
def test_event_carries_the_number_of_its_request() -> None:
    ours, given = uuid.uuid4(), uuid.uuid4()
    token = request_id.set(str(ours))
    try:
        record_access(actor=None, action=Action.VIEWED, obj_type="sample")
        record_access(actor=None, action=Action.VIEWED, obj_type="sample", request_id=str(given))
    finally:
        request_id.reset(token)
    record_access(actor=None, action=Action.VIEWED, obj_type="sample")
    found = AccessEvent.objects.order_by("pk").values_list("request_id", flat=True)
    assert list(found) == [ours, given, None]


@pytest.mark.django_db
def test_event_cannot_be_saved_again_or_deleted() -> None:
    event = AccessEvent.objects.create(action=Action.VIEWED, object_type="sample")
    event.object_type = "nothing"
    for attack in (event.save, event.delete):
        with pytest.raises(AppendOnlyError, match="append-only"):
            attack()
    event.refresh_from_db()
    assert event.object_type == "sample"


@pytest.mark.django_db
def test_person_with_events_cannot_be_deleted(outsider: User) -> None:
    record_access(actor=outsider, action=Action.REFUSED, obj_type="campaign")
    with pytest.raises(Exception, match="protected foreign keys"):
        outsider.delete()
