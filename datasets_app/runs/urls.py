"""Addresses of phase 1's pages."""

from django.urls import path

from datasets_app.runs import views

app_name = "runs"

urlpatterns = [
    path("datasets/phase-1/", views.run_list, name="list"),
    path("datasets/phase-1/<uuid:run_id>/", views.show_run, name="run"),
    path("datasets/phase-1/<uuid:run_id>/cancel/", views.cancel_run, name="cancel"),
    path("datasets/phase-1/<uuid:run_id>/resume/", views.resume_run, name="resume"),
]
