"""Another process of the site: reads and writes sealed texts when told to, over its standard streams."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

PROJECT = Path(__file__).parents[3]


class OtherProcess:
    """Speaks one line per order: ``open ID``, ``seal SCOPE TEXT`` or ``churn SCOPE``."""

    def __init__(self, database: str, key_file: Path) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "tests.prometheus_site.core.other_process", database, str(key_file)],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._child.stdin
        assert self._child.stdout
        self._child.stdin.close()
        self._child.wait()
        self._child.stdout.close()

    def ask(self, order: str) -> str:
        """Give an order and return the answer."""
        self.tell(order)
        return self.answer()

    def tell(self, order: str) -> None:
        assert self._child.stdin
        self._child.stdin.write(f"{order}\n")

    def answer(self) -> str:
        assert self._child.stdout
        line = self._child.stdout.readline()
        assert line, f"the other process ended with {self._child.wait()}"
        return line.rstrip("\n")


@contextmanager
def _site(database: str, key_file: str) -> Iterator[None]:
    os.environ["DJANGO_SETTINGS_MODULE"] = "prometheus_site.settings"  # PROMETHEUS_HOME is the tests' already
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection

    settings.MASTER_KEYS_FILE = Path(key_file)
    connection.settings_dict["NAME"] = database
    yield
    connection.close()


def _obey(order: str, *rest: str) -> str:
    from prometheus_site.core import sealing
    from prometheus_site.core.models import SealedText

    match order:
        case "open":
            sealed = SealedText.objects.select_related("data_key").get(pk=rest[0])
            try:
                return sealing.open_text(sealed)
            except sealing.TextErasedError:
                return "ERASED"
        case "seal":
            return str(sealing.seal(" ".join(rest[1:]), rest[0]).pk)
        case "churn":
            for number in range(int(rest[1])):
                sealed = sealing.seal(f"{rest[0]} {number}", f"{rest[0]}:{number}")
                fetched = SealedText.objects.select_related("data_key").get(pk=sealed.pk)
                assert sealing.open_text(fetched) == f"{rest[0]} {number}"
            return "DONE"
    raise ValueError(order)


if __name__ == "__main__":
    with _site(*sys.argv[1:]):
        for line in sys.stdin:
            print(_obey(*line.split()), flush=True)
