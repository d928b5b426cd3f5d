"""Version 1 of the API: its description, and the answer for addresses that no feature serves."""

from django.urls import path

from prometheus_site.api.schema import SchemaView, show_reference
from prometheus_site.api.views import UnknownAddressView

app_name = "api"
urlpatterns = [
    path("", show_reference, name="reference"),
    path("schema/", SchemaView.as_view(), name="schema"),
    # Stays last.
    path("<path:rest>", UnknownAddressView.as_view(), name="unknown_address"),
]
