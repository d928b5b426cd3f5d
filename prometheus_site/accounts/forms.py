"""What people fill in: an invitation, a role, a new account, a token's name, the app's first code."""

from typing import Any

from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from django import forms
from django.contrib.auth.password_validation import password_validators_help_text_html, validate_password

from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role


class InviteForm(forms.Form):
    email = forms.EmailField(label="E-mail address")
    # An applicant is invited by the campaign that the application is for.
    role = forms.ChoiceField(label="Role", choices=[one for one in Role.choices if one[0] != Role.APPLICANT])

    def clean_role(self) -> Role:
        return Role(self.cleaned_data["role"])


class RoleForm(forms.Form):
    role = forms.ChoiceField(label="Role", choices=Role.choices)

    def clean_role(self) -> Role:
        return Role(self.cleaned_data["role"])


class ApiTokenForm(forms.Form):
    name = forms.CharField(
        label="What is it for",
        max_length=80,
        help_text="Such as the name of the program or the computer that will use it.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class NewAccountForm(forms.Form):
    display_name = forms.CharField(
        label="Your name", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=password_validators_help_text_html(),
    )
    password_again = forms.CharField(
        label="Password again",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, User(email=self.email, display_name=self.data.get("display_name", "")))
        return password

    def clean_password_again(self) -> str:
        again: str = self.cleaned_data["password_again"]
        if "password" in self.cleaned_data and again != self.cleaned_data["password"]:
            raise forms.ValidationError("The two passwords are not the same. Type both again.")
        return again


class ActivateTotpForm(ActivateTOTPForm):  # type: ignore[misc]
    """allauth's form; the secret is sealed while it waits in the session, which is stored in the clear."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        session = context.request.session
        secret: str = session[SECRET_SESSION_KEY]
        if self.is_bound and ":" in secret:  # sealed when the page was shown
            self.secret = get_adapter().decrypt(secret)
        else:
            session[SECRET_SESSION_KEY] = get_adapter().encrypt(secret)
