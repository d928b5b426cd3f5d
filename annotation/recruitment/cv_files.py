"""What kind of file a curriculum vitae is, judged by its content and never by its name."""

import io
import zipfile
from enum import StrEnum

LIMIT_BYTES = 5 * 1024 * 1024
PDF_BEGINS = b"%PDF-"
PDF_ENDS = b"%%EOF"
PDF_END_WITHIN_BYTES = 2048
DOCX_PARTS = {"[Content_Types].xml", "word/document.xml"}
DOCX_MACROS = "word/vbaProject.bin"
MOST_PARTS = 2000


class CvKind(StrEnum):
    PDF = "pdf"
    DOCX = "docx"

    @property
    def content_type(self) -> str:
        return CONTENT_TYPES[self]


CONTENT_TYPES = {
    CvKind.PDF: "application/pdf",
    CvKind.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


def kind_of(content: bytes) -> CvKind | None:
    """Return what the content is, None when it is neither a PDF nor a Word document without macros."""
    if content.startswith(PDF_BEGINS) and PDF_ENDS in content[-PDF_END_WITHIN_BYTES:]:
        return CvKind.PDF
    return CvKind.DOCX if _is_docx(content) else None


def _is_docx(content: bytes) -> bool:
    """Read the table of contents only: nothing is unpacked, so nothing can swell."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            names = packed.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False
    return len(names) <= MOST_PARTS and set(names) >= DOCX_PARTS and DOCX_MACROS not in names
