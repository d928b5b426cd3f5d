"""Users, the roles granted to them, the invitations that bring them in, and their API tokens."""

import uuid
from collections.abc import Iterable
from functools import cached_property
from typing import ClassVar

import pghistory
import pgtrigger
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now

from prometheus_site.accounts.roles import ROLES_WITH_SECOND_FACTOR, STAFF_ROLES, Role


def new_code() -> str:
    """Return a code that stands for a person where names are not shown, such as ``C-7F3A9C``."""
    return f"C-{uuid.uuid4().hex[:6].upper()}"


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, display_name: str = "") -> "User":
        user = self.model(email=self.normalize_email(email).lower(), display_name=display_name)
        user.set_password(password)
        user.save()
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """A person, or a simulated annotator that says so."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    display_name = models.CharField(max_length=120, blank=True)
    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    is_active = models.BooleanField(default=True)
    is_simulated = models.BooleanField(default=False)
    date_joined = models.DateTimeField(db_default=Now())

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_one_per_email")]
        triggers = [
            # What it labelled would count as a clinician's from then on.
            pgtrigger.Protect(
                name="program_stays_one",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__is_simulated=True, new__is_simulated=False),
            )
        ]

    def __str__(self) -> str:
        return self.display_name or self.code

    def get_short_name(self) -> str:
        """Return how the person is greeted."""
        return str(self)

    @cached_property
    def roles(self) -> frozenset[Role]:
        """The roles held now."""
        held = self.role_grants.filter(revoked_at__isnull=True).values_list("role", flat=True)
        return frozenset(Role(role) for role in held)

    def has_role(self, *roles: Role) -> bool:
        """Say whether the person holds any of these roles."""
        return self.is_active and bool(self.roles & set(roles))

    @property
    def needs_second_factor(self) -> bool:
        return bool(self.roles & ROLES_WITH_SECOND_FACTOR)

    @property
    def is_staff(self) -> bool:
        """Whether the board (the admin index) opens for this person."""
        return self.has_role(*STAFF_ROLES)

    # The admin asks these two; every admin page of ours also asks the object's own choke point.
    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.is_staff

    def has_perms(self, perms: Iterable[str], obj: object = None) -> bool:
        return self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff


@pghistory.track()
class RoleGrant(models.Model):
    """A role given to a person, by whom and when; taken back by setting revoked_at."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="role_grants")
    role = models.CharField(max_length=16, choices=Role.choices)
    granted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    granted_at = models.DateTimeField(db_default=Now())
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role"],
                condition=Q(revoked_at__isnull=True),
                name="rolegrant_one_live_per_user_and_role",
            ),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="rolegrant_role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.role} of {self.user_id}"


class Invitation(models.Model):
    """A link that lets one person in, once. Only the token's hash is stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField()
    role = models.CharField(max_length=16, choices=Role.choices)
    token_digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(role__in=Role.values), name="invitation_role_is_known"),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True, accepted_by__isnull=True)
                | Q(accepted_at__isnull=False, accepted_by__isnull=False),
                name="invitation_accepted_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} invitation {self.id}"


class ApiToken(models.Model):
    """What a person's program shows instead of a password. Only the token's hash is stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="api_tokens")
    name = models.CharField(max_length=80)
    token_digest = models.CharField(max_length=64, unique=True)
    # A token made with the password alone opens nothing once its person has a role that needs more.
    was_second_factor_passed = models.BooleanField()
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(name=""), name="apitoken_has_a_name")]

    def __str__(self) -> str:
        return f"API token {self.id}"
