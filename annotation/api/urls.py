"""Addresses of the labelling API, under /api/v1/."""

from django.urls import path

from annotation.api import export_views, hours_views, views

app_name = "annotation_api"

_CAMPAIGN = "campaigns/<slug:slug>/"
_ASSIGNMENT = f"{_CAMPAIGN}assignments/<uuid:assignment_id>/"
urlpatterns = [
    path(f"{_CAMPAIGN}next/", views.NextView.as_view(), name="next"),
    path(f"{_CAMPAIGN}undo/", views.UndoView.as_view(), name="undo"),
    path(f"{_CAMPAIGN}leave/", views.LeaveView.as_view(), name="leave"),
    path(f"{_CAMPAIGN}progress/", views.ProgressView.as_view(), name="progress"),
    path(f"{_CAMPAIGN}beat/", hours_views.HeartbeatView.as_view(), name="beat"),
    path(f"{_CAMPAIGN}hours/", hours_views.HoursView.as_view(), name="hours"),
    path(f"{_CAMPAIGN}export.csv", export_views.ExportCsvView.as_view(), name="export_csv"),
    path(f"{_CAMPAIGN}export.jsonl", export_views.ExportJsonlView.as_view(), name="export_jsonl"),
    path(f"{_CAMPAIGN}labels/<uuid:label_id>/correct/", views.CorrectView.as_view(), name="correct"),
    path(f"{_ASSIGNMENT}label/", views.LabelView.as_view(), name="label"),
    path(f"{_ASSIGNMENT}pass/", views.PassView.as_view(), name="pass"),
    path(f"{_ASSIGNMENT}open/", views.OpenView.as_view(), name="open"),
    path(f"{_ASSIGNMENT}draft/", views.DraftView.as_view(), name="draft"),
    path(f"{_ASSIGNMENT}flag/", views.FlagView.as_view(), name="flag"),
]
