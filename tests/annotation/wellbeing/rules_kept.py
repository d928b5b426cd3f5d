"""The rules of care read back from the stored rows, by another way than the queue that has to keep them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from annotation.models import Assignment, Campaign, CareLimits, Exposure, ExposureCause, Label, Sitting
from prometheus_site.accounts.models import User

REST = timedelta(minutes=10)


@dataclass
class Record:
    """What one person read and did in all campaigns, and what breaks the person's limits."""

    code: str
    broken: list[str] = field(default_factory=list)
    severe_of_sitting: int = 0  # the most texts estimated severe that were opened in one
    severe_of_day: int = 0
    dose_of_sitting: int = 0  # with what nobody had announced
    dose_of_day: int = 0
    minutes_of_day: float = 0.0
    days_worked: int = 0


def records_of(campaign: Campaign) -> list[Record]:
    """Return the records of everybody who has read in the campaign, by code."""
    readers = User.objects.filter(pk__in=campaign.assignments.values("annotator"))
    return [_record_of(reader) for reader in readers.order_by("code")]


def broken_rules(campaign: Campaign) -> list[str]:
    """Return what broke the limits of anybody who has read in the campaign."""
    return [f"{one.code}: {told}" for one in records_of(campaign) for told in one.broken]


def _record_of(reader: User) -> Record:
    limits = CareLimits.objects.filter(user=reader).first() or CareLimits(user=reader)
    zone = ZoneInfo(limits.time_zone)
    record = Record(reader.code)
    severe = [(at, "severe") for at in _opened(reader)]
    record.broken += _in_sequence(sorted([*severe, *((at, "other") for at in _shown(reader))]))
    doses = list(Exposure.objects.filter(annotator=reader).values_list("read_at", "dose", "cause"))
    stretches = _stretches(reader)
    by_stretch, by_day = defaultdict(list), defaultdict(list)
    for row in sorted(doses):
        by_stretch[_stretch_at(stretches, row[0])].append(row)
        by_day[row[0].astimezone(zone).date()].append(row)
    for name, groups, limit in (
        ("sitting", by_stretch, limits.severe_per_sitting),
        ("day", by_day, limits.severe_per_day),
    ):
        for rows in groups.values():
            record.broken += _beyond(name, rows, limit)
            texts = sum(cause == ExposureCause.OPENED for _, _, cause in rows)
            dose = sum(each for _, each, _ in rows)
            setattr(record, f"severe_of_{name}", max(getattr(record, f"severe_of_{name}"), texts))
            setattr(record, f"dose_of_{name}", max(getattr(record, f"dose_of_{name}"), dose))
    _note_days(record, reader, zone, 60 * limits.minutes_per_day)
    return record


def _opened(reader: User) -> list[datetime]:
    rows = Exposure.objects.filter(annotator=reader, cause=ExposureCause.OPENED)
    return list(rows.values_list("read_at", flat=True))


def _shown(reader: User) -> list[datetime]:
    rows = Assignment.objects.filter(annotator=reader, sample__is_estimated_severe=False)
    return [at for at in rows.values_list("first_shown_at", flat=True) if at is not None]


def _in_sequence(read: Sequence[tuple[datetime, str]]) -> Iterator[str]:
    last_severe: datetime | None = None
    for at, kind in read:
        if kind == "severe" and last_severe is not None and at - last_severe < REST:
            yield f"two severe texts in sequence at {at:%d.%m. %H:%M:%S}"
        last_severe = at if kind == "severe" else None


def _stretches(reader: User) -> list[tuple[datetime, datetime]]:
    """Return from when to when the person sat: sittings with less than a rest between them are one."""
    rows = Sitting.objects.filter(annotator=reader).order_by("started_at")
    found: list[tuple[datetime, datetime]] = []
    for started, seen, ended in rows.values_list("started_at", "last_seen_at", "ended_at"):
        until = ended or max(seen, started)
        if found and started - found[-1][1] < REST:
            found[-1] = found[-1][0], max(found[-1][1], until)
        else:
            found.append((started, until))
    return found


def _stretch_at(stretches: Sequence[tuple[datetime, datetime]], at: datetime) -> datetime:
    return max(started for started, _ in stretches if started <= at)


def _beyond(name: str, rows: Sequence[tuple[datetime, int, str]], limit: int) -> Iterator[str]:
    read = 0
    for at, dose, cause in rows:
        if cause == ExposureCause.OPENED and read >= limit:
            yield f"a severe text was opened at {at:%d.%m. %H:%M:%S} after a dose of {read} in one {name}"
        read += dose


def _note_days(record: Record, reader: User, zone: ZoneInfo, limit_seconds: int) -> None:
    """Add what was shown after the person's day was over, but for the one text on the screen then."""
    shown = Assignment.objects.filter(annotator=reader).values_list("first_shown_at", flat=True)
    given = Label.objects.filter(annotator=reader, active_seconds__isnull=False)
    events = [(at, 1, 0) for at in shown if at is not None]
    events += [(at, 0, seconds or 0) for at, seconds in given.values_list("created_at", "active_seconds")]
    worked: dict[date, int] = defaultdict(int)
    beyond: dict[date, int] = defaultdict(int)
    for at, is_shown, seconds in sorted(events):
        day = at.astimezone(zone).date()
        beyond[day] += is_shown and worked[day] >= limit_seconds
        worked[day] += seconds
    record.broken += [f"{n} texts were shown after {day} was over" for day, n in beyond.items() if n > 1]
    record.days_worked = sum(1 for seconds in worked.values() if seconds)
    record.minutes_of_day = max(worked.values(), default=0) / 60
