"""What a lead fills in to give a campaign a guideline of its own."""

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict

SIZE_LIMIT_BYTES = 256 * 1024
VERSION_LIMIT_CHARACTERS = 20


class UnreadableFileError(Exception):
    """The file is no text that can be used; the exception says why and what to do."""


def text_of(file: "UploadedFile[bytes]", *, limit_bytes: int) -> str:
    """Return the text of an uploaded file, line ends as one character. Raises UnreadableFileError."""
    if file.size is None or file.size > limit_bytes:
        raise UnreadableFileError(
            f"{file.name} has more than {limit_bytes // 1024} KB. Choose a smaller file."
        )
    try:
        text = file.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableFileError(
            f"{file.name} is not UTF-8 text. Save it as UTF-8 and choose it again."
        ) from None
    if "\x00" in text:
        raise UnreadableFileError(f"{file.name} is not text but a binary file. Choose the text itself.")
    return with_plain_line_ends(text)


def with_plain_line_ends(text: str) -> str:
    """Return the text as a file would have it: browsers send every line end as two characters."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


class WrittenTexts(forms.Form):
    """Texts that come as a file or pasted: ``NAME_file`` replaces what stands in ``NAME_text``."""

    written: dict[str, int] = {}  # the name of each such text, with the most bytes it may have

    def clean(self) -> dict[str, object]:
        """Leave each text in ``NAME_text``, also on the page that is shown next."""
        values: dict[str, object] = super().clean() or {}
        for name, limit_bytes in self.written.items():
            file, text = values.get(f"{name}_file"), str(values.get(f"{name}_text") or "")
            try:
                if isinstance(file, UploadedFile):
                    text = text_of(file, limit_bytes=limit_bytes)
            except UnreadableFileError as fault:
                self.add_error(f"{name}_file", str(fault))
            text = with_plain_line_ends(text)
            if len(text.encode()) > limit_bytes:
                self.add_error(f"{name}_text", f"This has more than {limit_bytes // 1024} KB. Shorten it.")
            values[f"{name}_text"] = f"{text.strip()}\n" if text.strip() else ""
            self._show(f"{name}_text", text)
        return values

    def _show(self, name: str, text: str) -> None:
        data = QueryDict(mutable=True)
        data.update(self.data)
        data[self.add_prefix(name)] = text
        self.data = data


class GuidelineForm(WrittenTexts):
    """A new guideline version for a campaign."""

    written = {"guideline": SIZE_LIMIT_BYTES}

    guideline_version = forms.CharField(
        label="Version",
        max_length=VERSION_LIMIT_CHARACTERS,
        help_text="Such as 1.1. Every label names the version it was given under.",
    )
    guideline_file = forms.FileField(
        label="Markdown file",
        required=False,
        help_text="Replaces the text below. A heading such as “## C3 The levels” is a clause to cite.",
    )
    guideline_text = forms.CharField(
        label="Text",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 18, "spellcheck": "true"}),
    )

    def clean(self) -> dict[str, object]:
        values = super().clean()
        if not values["guideline_text"] and not self.errors:
            self.add_error("guideline_text", "Choose a file or write the guideline here.")
        return values
