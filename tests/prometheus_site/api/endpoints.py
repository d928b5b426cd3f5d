"""Endpoints as a feature would write them, below the site's own addresses."""

from django.core.exceptions import PermissionDenied
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from prometheus_site.accounts.models import RoleGrant
from prometheus_site.accounts.roles import Role
from prometheus_site.api.views import ApiRequest, ApiView
from prometheus_site.urls import urlpatterns as site

CRASH = "He said that he cannot go on"


class Turn(serializers.Serializer[dict[str, object]]):
    speaker = serializers.ChoiceField(["client", "therapist"])
    seconds = serializers.IntegerField(min_value=0, required=False)


class Note(serializers.Serializer[dict[str, object]]):
    """A note about a conversation."""

    text = serializers.CharField(max_length=20, help_text="What was seen.")
    turns = Turn(many=True, required=False)
    answers = serializers.DictField(child=serializers.IntegerField(), required=False)


class Whoami(serializers.Serializer[dict[str, object]]):
    email = serializers.EmailField()
    by_token = serializers.BooleanField()


class NotesView(ApiView):
    """Notes of whoever asks."""

    @extend_schema(
        summary="Say who asks",
        parameters=[OpenApiParameter("since", OpenApiTypes.DATETIME, description="Only newer notes.")],
        responses=Whoami,
    )
    def get(self, request: ApiRequest) -> Response:
        return Response({"email": request.user.email, "by_token": request.auth is not None})

    @extend_schema(summary="Write a note", request=Note, responses={201: Whoami})
    def post(self, request: ApiRequest) -> Response:
        note = Note(data=request.data)
        note.is_valid(raise_exception=True)
        return Response({"email": request.user.email, "by_token": request.auth is not None}, status=201)


@extend_schema(exclude=True)
class FailingView(ApiView):
    def get(self, request: ApiRequest, how: str) -> Response:
        match how:
            case "forbidden":
                raise PermissionDenied(CRASH)
            case "sentence":
                raise serializers.ValidationError("The lease has ended. Fetch the next sample.")
        raise RuntimeError(CRASH)


@extend_schema(exclude=True)
class GrantView(ApiView):
    """Change something that the history tables record."""

    def post(self, request: ApiRequest) -> Response:
        grant = RoleGrant.objects.create(user=request.user, role=Role.ANNOTATOR)
        return Response({"grant": grant.pk})


urlpatterns = [
    path("api/v1/notes/", NotesView.as_view(), name="notes"),
    path("api/v1/failing/<str:how>/", FailingView.as_view(), name="failing"),
    path("api/v1/grant/", GrantView.as_view(), name="grant"),
    *site,
]
