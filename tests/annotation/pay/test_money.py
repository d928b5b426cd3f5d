"""Amounts are exact: a line is its time at its rate, and a statement is its lines and corrections."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from annotation.pay.money import Line, Rate, fair_pay, lines_of, paid_for, rate_on, total

MARCH = date(2026, 3, 1)
MONEY = st.decimals(Decimal("0.01"), Decimal(500), places=2)
TIME = st.timedeltas(timedelta(), timedelta(hours=200))
days = st.integers(0, 30).map(lambda number: MARCH + timedelta(days=number))
rates_ = st.lists(st.builds(Rate, st.just("annotator"), MONEY, days), max_size=5)
worked_ = st.dictionaries(st.tuples(st.just("annotator"), days), TIME, max_size=12)


@given(worked_, rates_)
def test_lines_hold_all_the_time_each_day_at_the_rate_of_that_day(
    worked: dict[tuple[str, date], timedelta], rates: list[Rate]
) -> None:
    lines = lines_of(worked, rates)
    assert sum((line.time for line in lines), timedelta()) == sum(worked.values(), timedelta())
    for line in lines:
        at_it = [time for (role, day), time in worked.items() if rate_on(rates, role, day) == line.per_hour]
        assert line.time == sum(at_it, timedelta())


@given(worked_, rates_, st.lists(st.decimals(-500, 500, places=2), max_size=4))
def test_what_is_due_is_lines_and_corrections_or_nothing_known(
    worked: dict[tuple[str, date], timedelta], rates: list[Rate], corrections: list[Decimal]
) -> None:
    lines = lines_of(worked, rates)
    amounts = [line.amount for line in lines if line.amount is not None]
    due = total(lines, corrections)
    if len(amounts) < len(lines):
        assert due is None
    else:
        assert due == sum(amounts, Decimal(0)) + sum(corrections, Decimal(0))


@given(TIME, TIME, MONEY)
def test_splitting_a_time_changes_its_pay_by_a_cent_at_most(
    one: timedelta, other: timedelta, per_hour: Decimal
) -> None:
    apart = paid_for(one, per_hour) + paid_for(other, per_hour)
    assert abs(apart - paid_for(one + other, per_hour)) <= Decimal("0.01")


def test_half_a_cent_is_paid_as_a_whole_one() -> None:
    assert paid_for(timedelta(seconds=36), Decimal("0.50")) == Decimal("0.01")


def test_of_two_rates_for_a_day_the_one_set_later_holds_and_earlier_days_keep_theirs() -> None:
    tenth, twentieth = MARCH.replace(day=10), MARCH.replace(day=20)
    rates = [
        Rate("annotator", Decimal(50), MARCH),
        Rate("annotator", Decimal(60), twentieth),
        Rate("annotator", Decimal(55), tenth),
        Rate("annotator", Decimal(65), twentieth),
        Rate("adjudicator", Decimal(90), MARCH),
    ]
    asked = (date(2026, 2, 28), MARCH, tenth, twentieth, date(2026, 3, 31))
    assert [rate_on(rates, "annotator", day) for day in asked] == [None, 50, 55, 65, 65]


def test_the_meter_counts_the_time_nobody_paid() -> None:
    found = fair_pay(Decimal(60), timedelta(hours=1), timedelta(minutes=90), Decimal(45))
    assert found is not None
    assert (found.per_hour, found.is_fair, found.gap) == (Decimal("40.00"), False, Decimal("5.00"))
    assert found.unpaid == timedelta(minutes=30)


def test_the_meter_shows_nothing_where_nothing_was_measured() -> None:
    assert fair_pay(None, timedelta(hours=1), timedelta(hours=1), Decimal(40)) is None
    assert fair_pay(Decimal(60), timedelta(), timedelta(), Decimal(40)) is None
    assert fair_pay(Decimal(60), timedelta(hours=1), timedelta(hours=1), None) is None


def test_a_line_without_a_rate_has_no_amount() -> None:
    assert Line("annotator", None, timedelta(hours=1)).amount is None
