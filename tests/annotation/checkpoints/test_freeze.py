"""A look that was reached freezes one signed report, and nothing that happens later changes it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from pytest_django import DjangoCaptureOnCommitCallbacks
from pytest_django.fixtures import Settings

from annotation.agreement.checkpoints import RESAMPLES_AT_A_LOOK, first_rows, verdict_of
from annotation.agreement.estimates import Resampling, figures, only
from annotation.agreement.looks import looks_of
from annotation.agreement.reading import SEED, read_campaign
from annotation.agreement.statistics import alpha
from annotation.campaigns.asking import Asked
from annotation.campaigns.services import change_state, create_campaign, set_members
from annotation.checkpoints.figures import standing_of
from annotation.checkpoints.freezing import freeze_due_looks
from annotation.checkpoints.recomputed import ALPHA, FLEISS, KAPPA
from annotation.checkpoints.report_file import canonical, digest_of
from annotation.checkpoints.selectors import content_of, may_be_due
from annotation.checkpoints.services import (
    CheckpointRefusedError,
    ask_for_end,
    declare_first_looks,
    look_after_looks,
    sign_reports,
)
from annotation.labelling.services import correct_label
from annotation.models import Campaign, CampaignState, CheckpointReport, Sample
from annotation.tasks import freeze_looks
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.audit import signing
from prometheus_site.audit.services import anchor_heads
from prometheus_site.celery import app
from tests import people
from tests.annotation.checkpoints.labelled import (
    MORNING,
    NOT_RATABLE,
    agreeing,
    label_samples,
    make_declared_campaign,
)
from tests.annotation.worlds import label, make_campaign, submission

EVERY = range(1, 7)


def only_report(campaign: Campaign) -> dict[str, Any]:
    [report] = freeze_due_looks(campaign)
    return content_of(report)


def by_title(content: Mapping[str, Any], key: str) -> Any:
    return {found["title"]: found[key] for found in content["dimensions"]}


def test_nothing_is_frozen_before_every_dimension_has_the_items(long_campaign: Campaign) -> None:
    label_samples(long_campaign, range(1, 200), agreeing(0.9))
    assert freeze_due_looks(long_campaign) == []
    label_samples(long_campaign, [200], lambda number, rater: NOT_RATABLE)
    assert freeze_due_looks(long_campaign) == []
    label_samples(long_campaign, [201], agreeing(0.9))
    content = only_report(long_campaign)
    assert {found["n_items"] for found in content["dimensions"]} == {200}
    # Crisis had its 200th item with sample 201, the others one sample earlier: the look waits for all.
    assert content["look"]["reached_at"] == (MORNING + timedelta(days=1, minutes=201)).isoformat()
    excluded = by_title(content, "excluded")
    assert excluded["Crisis intensity"]["labels to which the question did not apply"] == 2
    assert excluded["Empathy overall"]["overlap items complete after this look"] == 1


def test_a_look_is_frozen_once(campaign: Campaign) -> None:
    label_samples(campaign, EVERY, agreeing(0.9))
    assert len(freeze_due_looks(campaign)) == 1
    assert freeze_due_looks(campaign) == []
    assert CheckpointReport.objects.count() == 1


@pytest.mark.parametrize("is_weighted", [False, True])
def test_the_verdict_is_that_of_the_first_items(long_campaign: Campaign, is_weighted: bool) -> None:
    if is_weighted:
        long_campaign.samples.filter(number__lte=50).update(sampling_weight=0.25)
    label_samples(long_campaign, range(1, 205), agreeing(0.95, empathy_global=0.5))
    reports = [content_of(report) for report in freeze_due_looks(long_campaign)]
    assert [content["number"] for content in reports] == [1, 2]
    for key, labels in read_campaign(long_campaign).dimensions.items():
        ratings = labels.ratings
        verdicts = []
        for look, content in zip(looks_of(long_campaign), reports, strict=True):
            weights = labels.weights[: look.n_overlap_items] if is_weighted else None
            estimate = only(
                figures(
                    first_rows(ratings, look.n_overlap_items),
                    {"": alpha(labels.scale, ratings.categories)},
                    Resampling(RESAMPLES_AT_A_LOOK, SEED, look.tail),
                    weights,
                )[""]
            )
            verdicts.append(verdict_of(estimate).value)
            [found] = [one for one in content["dimensions"] if one["dimension"] == key]
            figure = found["figures"][0]
            assert figure["decides"]
            assert (figure["statistic"] == "Krippendorff's alpha, design-weighted") is is_weighted
            assert (figure["value"], figure["ci_low"], figure["ci_high"]) == (
                estimate.value,
                estimate.ci_low,
                estimate.ci_high,
            )
            assert found["verdict"] == verdicts[-1]
        assert found["standing"] == standing_of(verdicts)
    assert by_title(reports[1], "verdicts")["Empathy overall"] == ["not met", "not met"]
    assert reports[1]["target"]["verdict"] == "not met"


def test_a_report_says_what_it_rests_on(long_campaign: Campaign, lead: User) -> None:
    label_samples(long_campaign, range(1, 202), agreeing(0.95))
    content = only_report(long_campaign)
    assert content["design"]["seed"] == long_campaign.seed
    assert content["design"]["samples_by_purpose"] == {"overlap": 204}
    assert len(content["design"]["raters"]) == 2
    assert content["guideline_versions"] == ["1.0"]
    assert content["declaration"]["n_complete"] == 0
    assert content["look"]["interval_percent"] == 97.5
    assert content["scheme"]["sha256"] == long_campaign.scheme.digest
    assert set(content["software"]) >= {"prometheus", "python", "numpy", "krippendorff", "statsmodels"}
    for found in content["dimensions"]:
        assert found["label_table"]["rows"] == found["n_labels"] == 400
        compared = {each["figure"]: each for each in found["recomputed"]}
        assert set(compared) >= {ALPHA, FLEISS, KAPPA}
        assert all(each["difference"] < 1e-9 and each["is_same"] for each in compared.values())
    text = json.dumps(content)
    assert "what was said" not in text
    assert lead.display_name not in text


def test_what_a_look_rests_on_does_not_depend_on_when_it_is_frozen(long_campaign: Campaign) -> None:
    """The same labels at a later moment: everything but the moment of freezing is the same."""
    label_samples(long_campaign, range(1, 201), agreeing(0.9))
    label_samples(long_campaign, range(201, 204), agreeing(0.1))
    late = only_report(long_campaign)
    assert {found["n_items"] for found in late["dimensions"]} == {200}
    assert by_title(late, "excluded")["Crisis intensity"]["overlap items complete after this look"] == 3
    beside = make_declared_campaign(
        people.make("other-lead", Role.LEAD),
        [people.make(f"other-{n}", Role.ANNOTATOR) for n in (1, 2)],
        samples=204,
        slug="beside",
    )
    label_samples(beside, range(1, 201), agreeing(0.9))
    early = only_report(beside)
    for before, after in zip(early["dimensions"], late["dimensions"], strict=True):
        assert before["figures"] == after["figures"]
        assert before["classes"] == after["classes"]


def test_labels_that_lock_after_the_moment_of_a_look_are_not_in_it(
    lead: User, annotator: User, second_annotator: User
) -> None:
    third = people.make("third", Role.ANNOTATOR)
    campaign = make_campaign(lead, [annotator, second_annotator, third], samples=204, labels_per_sample=3)
    assert declare_first_looks(campaign=campaign) is not None
    label_samples(campaign, range(1, 201), agreeing(0.9), raters=2)
    label_samples(campaign, range(1, 204), agreeing(0.1))  # the third reader comes later
    content = only_report(campaign)
    assert {found["n_labels"] for found in content["dimensions"]} == {400}
    later = by_title(content, "excluded")["Crisis intensity"]
    assert later["labels of its items locked after this look"] == 200


def test_a_label_corrected_afterwards_changes_no_report(campaign: Campaign, annotator: User) -> None:
    given = label(campaign, annotator, 1)
    second = campaign.assignments.exclude(annotator=annotator)[0].annotator
    label(campaign, second, 1)
    for number in range(2, 7):
        for person in (annotator, second):
            label(campaign, person, number)
    [report] = freeze_due_looks(campaign)
    sign_reports()
    before = (report.document, report.digest, report.signed.signature)
    changed = submission(campaign, reason="slipped", answers={"empathy_global": "1"})
    correct_label(annotator=annotator, label=given, submission=changed)
    assert freeze_due_looks(campaign) == []
    report.refresh_from_db()
    assert (report.document, report.digest, report.signed.signature) == before


def test_the_report_is_signed_and_names_where_the_chains_stood(
    campaign: Campaign, annotator: User, second_annotator: User, settings: Settings, tmp_path: Any
) -> None:
    settings.ANCHOR_LOG = tmp_path / "anchors.jsonl"
    for number in EVERY:
        for person in (annotator, second_annotator):
            label(campaign, person, number)
    anchor = anchor_heads()
    assert anchor is not None
    [report] = freeze_due_looks(campaign)
    content = content_of(report)
    assert digest_of(canonical(content)) == report.digest
    assert (sign_reports(), sign_reports()) == (1, 0)
    assert signing.is_signed(report.digest, report.signed.signature)
    assert report.signed.public_key == signing.public_key_pem()
    assert content["record"]["anchor"] == {"sequence": anchor.sequence, "hash": anchor.anchor_hash}
    heads = {head["rater"]: (head["link"], head["hash"]) for head in content["record"]["chain_heads"]}
    assert set(heads) == {annotator.code, second_annotator.code}
    newest = annotator.chain_entries.order_by("-sequence")[0]
    assert heads[annotator.code] == (newest.sequence, newest.entry_hash)


def test_under_fifty_items_there_is_no_number(campaign: Campaign) -> None:
    label_samples(campaign, EVERY, agreeing(0.9))
    content = only_report(campaign)
    for found in content["dimensions"]:
        assert found["verdict"] == "undecided"
        assert found["recomputed"] == []
        assert {figure["value"] for figure in [*found["figures"], *found["classes"]]} == {None}
        assert found["figures"][0]["status"] == "collecting"


def test_a_dimension_that_is_not_measured_keeps_the_target_open(long_campaign: Campaign) -> None:
    def answer(number: int, rater: int) -> dict[str, object]:
        return {**agreeing(0.98)(number, rater), "empathy_global": "3"}

    label_samples(long_campaign, range(1, 202), answer)
    content = only_report(long_campaign)
    assert by_title(content, "verdict") == {
        "Crisis intensity": "met",
        "Primary modality": "met",
        "Empathy overall": "not measured",
    }
    assert content["target"]["verdict"] == "undecided"
    empathy = content["dimensions"][2]["figures"][0]
    assert (empathy["value"], empathy["status"]) == (None, "not_estimable")
    assert "No variation" in empathy["reason"]


def test_the_end_waits_for_every_label_of_its_items(
    lead: User, annotator: User, second_annotator: User
) -> None:
    third = people.make("third", Role.ANNOTATOR)
    campaign = make_campaign(lead, [annotator, second_annotator, third], samples=3, labels_per_sample=3)
    declare_first_looks(campaign=campaign)
    label_samples(campaign, [1, 2, 3], agreeing(0.9), raters=2)
    assert freeze_due_looks(campaign) == []
    label_samples(campaign, [1, 2, 3], agreeing(0.9))
    content = only_report(campaign)
    assert {found["n_labels"] for found in content["dimensions"]} == {9}
    assert not content["look"]["is_short"]


def test_a_campaign_that_ended_short_is_looked_at_when_asked(campaign: Campaign, lead: User) -> None:
    label_samples(campaign, [1, 2, 3], agreeing(0.9))
    change_state(campaign=campaign, state=CampaignState.CLOSED, changed_by=lead)
    assert freeze_due_looks(campaign) == []
    ask_for_end(campaign=campaign, requested_by=lead)
    assert may_be_due(campaign)
    content = only_report(campaign)
    assert content["look"]["is_short"]
    assert {found["n_items"] for found in content["dimensions"]} == {3}
    assert any("ended short" in notice for notice in content["notices"])


def test_the_end_cannot_be_asked_for_while_a_label_is_not_locked(
    campaign: Campaign, lead: User, annotator: User
) -> None:
    label(campaign, annotator, 1, locks=False)
    change_state(campaign=campaign, state=CampaignState.CLOSED, changed_by=lead)
    with pytest.raises(CheckpointRefusedError, match="every label is locked"):
        ask_for_end(campaign=campaign, requested_by=lead)


def test_an_empty_campaign_that_ended_is_not_measured(campaign: Campaign, lead: User) -> None:
    change_state(campaign=campaign, state=CampaignState.CLOSED, changed_by=lead)
    ask_for_end(campaign=campaign, requested_by=lead)
    content = only_report(campaign)
    assert set(by_title(content, "verdict").values()) == {"not measured"}
    assert content["target"]["verdict"] == "not measured"
    assert content["design"]["raters"] == []


def test_a_rehearsal_says_so(lead: User) -> None:
    made = [people.make(f"made-{n}", Role.ANNOTATOR) for n in (1, 2)]
    for person in made:
        person.is_simulated = True
        person.save()
    campaign = make_declared_campaign(lead, made, samples=6, is_simulated=True)
    label_samples(campaign, EVERY, agreeing(0.9))
    content = only_report(campaign)
    assert content["is_rehearsal"]
    assert content["notices"][0].startswith("REHEARSAL")
    assert "simulated annotators" in content["methods"][0]
    assert "clinicians labelled" not in content["methods"][0]


def test_another_scheme_is_decided_by_its_own_headlines(
    lead: User, annotator: User, second_annotator: User
) -> None:
    definition = {
        "key": "mood",
        "version": "1.0",
        "title": "Mood",
        "forms": [
            {
                "key": "mood",
                "title": "Mood",
                "asks_about": "client",
                "dimensions": [
                    {
                        "key": "mood",
                        "title": "Mood of the client",
                        "scale": "nominal",
                        "is_headline": True,
                        "categories": [{"code": code, "label": code.title()} for code in ("low", "high")],
                    }
                ],
            }
        ],
    }
    asked = Asked(definition=definition, guideline="## C1 Mood\n", guideline_version="1.0")
    base = make_campaign(lead, [annotator, second_annotator], samples=60)
    campaign = create_campaign(
        name="Mood", slug="mood", created_by=lead, asked=asked, requires_qualification=False
    )
    _take_over(base, campaign, [annotator, second_annotator])
    declare_first_looks(campaign=campaign)
    label_samples(campaign, range(1, 61), _mood)
    content = only_report(campaign)
    assert by_title(content, "verdict") == {"Mood of the client": "met"}
    assert content["target"]["verdict"] == "met"
    assert not content["target"]["is_project_target"]
    assert "not the project's target" in content["notices"][0]


def _mood(number: int, rater: int) -> dict[str, object]:
    """The same mood but for one sample in sixty."""
    return {"mood": ("low", "high")[(number + (rater if number == 7 else 0)) % 2]}


def _take_over(base: Campaign, campaign: Campaign, people_in: list[User]) -> None:
    """Give a campaign the conversations of another, and open it."""
    Sample.objects.bulk_create(
        Sample(
            campaign=campaign,
            conversation=sample.conversation,
            number=sample.number,
            window_start=sample.window_start,
            window_stop=sample.window_stop,
            has_client_turn=True,
            has_assistant_turn=True,
        )
        for sample in base.samples.select_related("conversation")
    )
    creator = campaign.created_by
    assert creator is not None
    set_members(campaign=campaign, user_ids=[one.pk for one in people_in], changed_by=creator)
    change_state(campaign=campaign, state=CampaignState.OPEN, changed_by=creator, accepts_misfit=True)
    campaign.refresh_from_db()


def test_the_sweeper_tells_the_workers_only_where_a_look_may_be_due(
    campaign: Campaign,
) -> None:
    app.control.purge()
    label_samples(campaign, range(1, 6), agreeing(0.9))
    assert look_after_looks() == 0
    label_samples(campaign, [6], agreeing(0.9))
    assert look_after_looks() == 1
    assert app.control.purge() == 1
    freeze_looks(str(campaign.pk))
    assert look_after_looks() == 0
    assert CheckpointReport.objects.count() == 1


def test_the_workers_are_told_when_the_end_is_asked_for(
    campaign: Campaign, lead: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    app.control.purge()
    change_state(campaign=campaign, state=CampaignState.CLOSED, changed_by=lead)
    with django_capture_on_commit_callbacks(execute=True):
        ask_for_end(campaign=campaign, requested_by=lead)
    assert app.control.purge() == 1


def test_the_end_asked_for_takes_what_was_locked_by_then(campaign: Campaign, lead: User) -> None:
    label_samples(campaign, [1, 2], agreeing(0.9))
    change_state(campaign=campaign, state=CampaignState.CLOSED, changed_by=lead)
    with time_machine.travel(datetime(2027, 1, 1, tzinfo=UTC)):
        request = ask_for_end(campaign=campaign, requested_by=lead)
    request.refresh_from_db()
    content = only_report(campaign)
    assert content["look"]["reached_at"] == request.requested_at.isoformat()


@pytest.mark.parametrize("state", [CampaignState.DRAFT, CampaignState.OPEN])
def test_an_end_that_is_not_there_cannot_be_asked_for(
    campaign: Campaign, lead: User, state: CampaignState
) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(state=state)
    with pytest.raises(CheckpointRefusedError):
        ask_for_end(campaign=campaign, requested_by=lead)
