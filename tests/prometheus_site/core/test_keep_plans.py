"""What every save asks is planned once per connection; what Django puts together is not kept at all."""

import pytest
from django.db import connection

from prometheus_site.accounts.models import User
from prometheus_site.core import prepared

pytestmark = pytest.mark.django_db
STATEMENT = "SELECT count(*) FROM accounts_user WHERE code = %s"
TIMES = 8  # PostgreSQL looks at five plans of their own before it keeps one


def kept_plans() -> list[tuple[str, int, int]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement, generic_plans, custom_plans FROM pg_prepared_statements")
        return list(cursor.fetchall())


def test_a_prepared_statement_keeps_its_plan() -> None:
    for number in range(TIMES):
        assert prepared.one_row(STATEMENT, [f"A{number}"]) == (0,)

    [(statement, generic, custom)] = [kept for kept in kept_plans() if "accounts_user" in kept[0]]
    assert statement == STATEMENT.replace("%s", "$1")
    assert (generic, custom) == (TIMES - 5, 5)


def test_statements_that_carry_their_values_are_not_kept() -> None:
    prepared.one_row(STATEMENT, ["A1"])

    for number in range(TIMES):
        assert not User.objects.filter(email=f"nobody{number}@example.org").exists()

    assert not [kept for kept in kept_plans() if "example.org" in kept[0]]


def test_a_statement_is_prepared_again_after_a_rollback() -> None:
    prepared.one_row(STATEMENT, ["A1"])
    with connection.cursor() as cursor:
        cursor.execute("SAVEPOINT before")
        cursor.execute("ROLLBACK TO SAVEPOINT before")

    assert prepared.one_row(STATEMENT, ["A2"]) == (0,)
