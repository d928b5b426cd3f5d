"""Addresses of the annotation app."""

from django.urls import path

from annotation.campaigns import plan_views as plans
from annotation.campaigns import views as campaigns
from annotation.dashboard import views as dashboard
from annotation.guidelines import views as guidelines
from annotation.labelling import views as labelling

app_name = "annotation"

urlpatterns = [
    path("campaigns/", campaigns.campaign_list, name="campaigns"),
    path("campaigns/new/", campaigns.create, name="create_campaign"),
    path(
        "campaigns/new/scheme.yaml",
        campaigns.example,
        {"file_name": "scheme.yaml"},
        name="example_scheme",
    ),
    path(
        "campaigns/new/guideline.md",
        campaigns.example,
        {"file_name": "guideline.md"},
        name="example_guideline",
    ),
    path("campaigns/<slug:slug>/", campaigns.manage, name="campaign"),
    path("campaigns/<slug:slug>/state/", campaigns.change_state, name="change_campaign_state"),
    path("campaigns/<slug:slug>/members/", campaigns.change_members, name="change_members"),
    path("campaigns/<slug:slug>/plan/", plans.plan, name="plan"),
    path("campaigns/<slug:slug>/plan/accept/", plans.accept_plan, name="accept_plan"),
    path("campaigns/<slug:slug>/plan/hours/", plans.set_hours, name="set_hours"),
    path("campaigns/<slug:slug>/plan/pause/", plans.pause_member, name="pause_member"),
    path("campaigns/<slug:slug>/plan/resume/", plans.resume_member, name="resume_member"),
    path("campaigns/<slug:slug>/dashboard/", dashboard.overview, name="dashboard"),
    path("campaigns/<slug:slug>/figures/<slug:figure>/", dashboard.figure, name="figure"),
    path("campaigns/<slug:slug>/samples/<int:number>/", dashboard.sample, name="sample"),
    path("campaigns/<slug:slug>/guideline/", guidelines.current, name="guideline"),
    path("campaigns/<slug:slug>/guideline/new/", guidelines.change, name="change_guideline"),
    path("campaigns/<slug:slug>/label/", labelling.workbench, name="workbench"),
    path("campaigns/<slug:slug>/label/next/", labelling.fetch_next, name="fetch_next"),
    path("campaigns/<slug:slug>/label/undo/", labelling.undo, name="undo"),
    path("campaigns/<slug:slug>/label/leave/", labelling.leave, name="leave"),
    path("campaigns/<slug:slug>/label/<uuid:assignment_id>/", labelling.save, name="save_label"),
    path("campaigns/<slug:slug>/label/<uuid:assignment_id>/open/", labelling.open_severe, name="open_severe"),
    path("campaigns/<slug:slug>/label/<uuid:assignment_id>/flag/", labelling.flag, name="flag_sample"),
    path("campaigns/<slug:slug>/labels/", labelling.own_labels, name="own_labels"),
    path("campaigns/<slug:slug>/labels/<uuid:label_id>/", labelling.correct, name="correct_label"),
]
