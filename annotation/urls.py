"""Addresses of the annotation app."""

from django.urls import path

from annotation.campaigns import views as campaigns
from annotation.dashboard import views as dashboard
from annotation.guidelines import views as guidelines
from annotation.labelling import views as labelling

app_name = "annotation"

urlpatterns = [
    path("campaigns/", campaigns.campaign_list, name="campaigns"),
    path("campaigns/new/", campaigns.create, name="create_campaign"),
    path("campaigns/<slug:slug>/", campaigns.manage, name="campaign"),
    path("campaigns/<slug:slug>/state/", campaigns.change_state, name="change_campaign_state"),
    path("campaigns/<slug:slug>/members/", campaigns.change_members, name="change_members"),
    path("campaigns/<slug:slug>/dashboard/", dashboard.overview, name="dashboard"),
    path("campaigns/<slug:slug>/figures/<slug:figure>/", dashboard.figure, name="figure"),
    path("campaigns/<slug:slug>/samples/<int:number>/", dashboard.sample, name="sample"),
    path("campaigns/<slug:slug>/guideline/", guidelines.current, name="guideline"),
    path("campaigns/<slug:slug>/label/", labelling.workbench, name="workbench"),
    path("campaigns/<slug:slug>/label/next/", labelling.fetch_next, name="fetch_next"),
    path("campaigns/<slug:slug>/label/<uuid:assignment_id>/", labelling.save, name="save_label"),
    path("campaigns/<slug:slug>/labels/", labelling.own_labels, name="own_labels"),
    path("campaigns/<slug:slug>/labels/<uuid:label_id>/", labelling.correct, name="correct_label"),
]
