"""Addresses of the data pages."""

from django.urls import path

from datasets_app.importing import views

app_name = "data"

urlpatterns = [
    path("data/", views.source_list, name="sources"),
    path("data/conversations/", views.conversation_list, name="conversations"),
    path("data/upload/", views.upload, name="upload"),
    path("data/uploads/<uuid:upload_id>/", views.preview, name="preview"),
    path("data/uploads/<uuid:upload_id>/discard/", views.discard_upload, name="discard_upload"),
    path("data/imports/<uuid:job_id>/", views.import_job, name="import"),
    path("data/imports/<uuid:job_id>/retry/", views.retry_import, name="retry_import"),
    path("data/imports/<uuid:job_id>/rejects/", views.reject_list, name="rejects"),
]
