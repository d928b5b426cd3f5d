"""Uploads stay in memory: the plaintext of a therapy conversation never touches the disk."""

from typing import IO, Any

from django.conf import settings
from django.core.files.uploadhandler import MemoryFileUploadHandler, SkipFile


class MemoryOnlyUploadHandler(MemoryFileUploadHandler):
    """Keep files in memory when the whole request is within UPLOAD_LIMIT_BYTES, else leave them out.

    The other fields are read either way, so the CSRF check works and the form can say what happened.
    """

    def handle_raw_input(
        self,
        input_data: IO[bytes],
        META: dict[str, str],  # noqa: N803  Django's own name
        content_length: int,
        boundary: Any,
        encoding: str | None = None,
    ) -> None:
        self.activated = content_length <= settings.UPLOAD_LIMIT_BYTES

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        raise SkipFile  # only reached when the file is not kept: otherwise Django's handler has raised
