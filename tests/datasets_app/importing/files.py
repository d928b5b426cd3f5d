"""Made-up files of conversations, uploads of them, and ways to look at the whole database."""

from collections.abc import Sequence
from typing import Any

import orjson
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from psycopg import sql

from datasets_app.importing import services
from datasets_app.models import ImportJob, Source, Upload
from prometheus_site.accounts.models import User

PHRASE = "the kettle was still warm when she left"  # stands in every made-up conversation


def chatml(*, count: int = 3, text: str = PHRASE) -> bytes:
    """Return JSON Lines with that many different conversations."""
    return b"".join(chatml_line(f"{text} {number}") for number in range(count))


def chatml_line(text: str) -> bytes:
    turns = [{"role": "user", "content": text}, {"role": "assistant", "content": f"You say: {text}"}]
    return orjson.dumps({"messages": turns}) + b"\n"


def blank_lines(size: int) -> bytes:
    """Return that many bytes of lines without a word; a kilobyte each, for they are read one by one."""
    return (b" " * 1023 + b"\n") * (size // 1024)


def table(*rows: Sequence[str]) -> bytes:
    """Return a CSV of these rows, the first being the header."""
    return "\n".join(",".join(row) for row in rows).encode()


def upload(user: User, content: bytes, **changes: Any) -> Upload:
    """Store the content as an upload into a new source, or as the changes say."""
    asked: dict[str, Any] = {
        "file": SimpleUploadedFile("made-up.jsonl", content),
        "source": None,
        "new_source": "Made up",
        "license_tag": "CC0",
        "is_synthetic": True,
        "format": "auto",
        "encoding": "",
        "campaign": "",
    }
    return services.store_upload(**(asked | changes), user=user)


def queued(user: User, content: bytes, **changes: Any) -> ImportJob:
    """Upload the content and press Import."""
    job: ImportJob = upload(user, content, **changes).job
    services.start_import(job=job, user=user)
    job.refresh_from_db()
    return job


def posted(content: bytes, name: str = "made-up.jsonl", **changes: Any) -> dict[str, Any]:
    """Return what the upload page's form sends."""
    sent: dict[str, Any] = {
        "file": SimpleUploadedFile(name, content),
        "new_source": "Made up",
        "format": "auto",
    }
    return sent | changes


def new_source() -> Source:
    return Source.objects.create(name="Made up", is_synthetic=True)


def row_counts() -> dict[str, int]:
    """Return the number of rows of every table."""
    with connection.cursor() as cursor:
        counts = {}
        for name in connection.introspection.table_names(cursor):
            query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))
            cursor.execute(query.as_string(cursor.connection))
            counts[name] = cursor.fetchone()[0]
    return counts


def tables_with(text: str) -> list[str]:
    """Return the tables in which a column holds this text, as text or as bytes."""
    found = []
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names(cursor):
            query = sql.SQL(
                "SELECT 1 FROM {table} AS t WHERE strpos(t::text, %s) > 0 OR strpos(t::text, %s) > 0"
            )
            statement = query.format(table=sql.Identifier(name)).as_string(cursor.connection)
            cursor.execute(statement, [text, text.encode().hex()])
            if cursor.fetchone():
                found.append(name)
    return found
