"""A CV is read as it comes in: at most 5 MB of one file are held, never on disk, and the rest is let go."""

import io
from typing import Any

from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile

from annotation.recruitment.cv_files import LIMIT_BYTES

FIELD = "cv"


class CvUploadHandler(FileUploadHandler):
    """Hand on the one file of the form. One that is too large arrives empty, with its true size."""

    _has_taken_one = False

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self._has_taken_one or self.field_name != FIELD:
            raise SkipFile
        self._has_taken_one = True
        self._kept = io.BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start + len(raw_data) > LIMIT_BYTES:
            self._kept = io.BytesIO()
        else:
            self._kept.write(raw_data)

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        content = self._kept if file_size <= LIMIT_BYTES else io.BytesIO()
        content.seek(0)
        return InMemoryUploadedFile(
            content, self.field_name, self.file_name or "", self.content_type or "", file_size, self.charset
        )
