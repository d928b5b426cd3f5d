"""Tables that only ever grow: by privilege first (see privileges.py), by trigger as the second wall."""

from typing import Any, NoReturn

import pgtrigger
from django.db import models


class AppendOnlyError(Exception):
    """Somebody tried to change or delete a row that is kept for ever."""


def append_only_triggers() -> list[pgtrigger.Trigger]:
    """Return the triggers that refuse UPDATE, DELETE and TRUNCATE, whoever asks."""
    return [
        pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        # Protect works row by row and never sees a TRUNCATE: a statement trigger does.
        pgtrigger.Trigger(
            name="no_truncate",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Truncate,
            func="RAISE EXCEPTION 'pgtrigger: cannot truncate an append-only table';",
        ),
    ]


class AppendOnlyQuerySet(models.QuerySet[Any]):
    """A queryset that says no in Python before the database has to."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError(f"{self.model._meta.label} is append-only: add a row instead of changing one.")

    def delete(self) -> NoReturn:
        raise AppendOnlyError(f"{self.model._meta.label} is append-only: its rows are kept for ever.")


class AppendOnlyModel(models.Model):
    """Base of every append-only table. A correction is a new row that supersedes the old one."""

    class Meta:
        abstract = True

    objects: models.Manager[Any] = AppendOnlyQuerySet.as_manager()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError(f"{self._meta.label} is append-only: add a row instead of changing one.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError(f"{self._meta.label} is append-only: its rows are kept for ever.")
