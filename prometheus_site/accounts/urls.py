"""The team's pages, the invitation's link and one's own account."""

from django.urls import path

from prometheus_site.accounts import views

app_name = "accounts"
urlpatterns = [
    path("people/", views.people, name="people"),
    path("people/invite/", views.invite, name="invite"),
    path(
        "people/invitations/<uuid:invitation_id>/revoke/", views.revoke_invitation, name="revoke_invitation"
    ),
    path("people/<uuid:user_id>/roles/grant/", views.grant_role, name="grant_role"),
    path("people/<uuid:user_id>/roles/revoke/", views.revoke_role, name="revoke_role"),
    path("invitation/<str:token>/", views.accept_invitation, name="accept_invitation"),
    path("account/", views.account, name="account"),
    path("account/tokens/", views.create_api_token, name="create_api_token"),
    path("account/tokens/<uuid:token_id>/revoke/", views.revoke_api_token, name="revoke_api_token"),
    path("account/totp-qr.svg", views.totp_qr, name="totp_qr"),
]
