"""Forms of the import pages."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings

from datasets_app.importing.reading import AUTO
from datasets_app.models import Source
from datasets_app.sources.delimited import EXCHANGE_COLUMNS, TURN_COLUMNS
from datasets_app.sources.registry import FORMATS

MEGABYTE = 1024 * 1024
FORMAT_NAMES = {
    "chatml": "ChatML (messages with role and content)",
    "sharegpt": "ShareGPT (conversations with from and value)",
    "alpaca": "Alpaca (instruction and output)",
    "prompt_response": "Prompt and response",
    "hh_rlhf": "hh-rlhf pairs (of each the chosen conversation)",
    "esconv": "ESConv or FailedESConv",
    "psy_insight": "Psy-Insight",
    "annomi": "AnnoMI",
    "counsel_chat": "counsel-chat",
    "delimited": "CSV or TSV with columns you name",
    "transcript": "Plain transcript",
    "parquet": "Parquet",
}
ENCODINGS = (
    ("", "Found by itself, else UTF-8"),
    ("cp1252", "Windows Western Europe (cp1252)"),
    ("latin-1", "Latin-1"),
    ("utf-16-le", "UTF-16, little end first"),
    ("utf-16-be", "UTF-16, big end first"),
    ("gb18030", "Chinese (GB 18030)"),
    ("shift_jis", "Japanese (Shift JIS)"),
    ("cp1251", "Windows Cyrillic (cp1251)"),
)
MAPPED_COLUMNS = {
    "conversation": "Column that tells conversations apart",
    "speaker": "Column with the speaker",
    "text": "Column with what was said",
    "prompt": "Column with what the client wrote",
    "response": "Column with the answer",
    "topic": "Column with the topic",
}
LABELS_HELP = "Names in the file, with commas between them, when they are not the usual ones."


def format_name(format: str) -> str:
    """Return the name of a format as the pages show it."""
    return "Found by itself" if format == AUTO else FORMAT_NAMES.get(format, format)


def format_choices() -> list[tuple[str, str]]:
    return [(name, format_name(name)) for name in (AUTO, *FORMATS)]


class UploadForm(forms.Form):
    """A file and the source it belongs to. `body_bytes` is the size of the request it came in."""

    file = forms.FileField(
        label="File",
        error_messages={
            "required": "Choose a file.",
            "empty": "This file is empty: choose one with at least one conversation.",
        },
    )
    source = forms.ModelChoiceField(
        Source.objects.filter(withdrawn_at__isnull=True).order_by("name"),
        label="Source",
        required=False,
        empty_label="A new source",
    )
    new_source = forms.CharField(
        label="Name of the new source",
        max_length=200,
        required=False,
        help_text="Needed unless you chose a source from the list.",
    )
    license_tag = forms.CharField(
        label="Licence of the new source",
        max_length=60,
        required=False,
        help_text="Such as CC-BY-4.0. Without one, the source counts as unknown.",
    )
    is_synthetic = forms.BooleanField(
        label="The conversations of the new source are made up, not recorded", required=False
    )
    format = forms.ChoiceField(label="Format", choices=format_choices, initial=AUTO)
    encoding = forms.ChoiceField(label="Character encoding", choices=ENCODINGS, required=False)
    campaign = forms.SlugField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, body_bytes: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if body_bytes > settings.UPLOAD_LIMIT_BYTES:
            self.fields["file"].error_messages["required"] = too_large(body_bytes)

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        named = values.get("new_source")
        if "source" in values and "new_source" in values and bool(values["source"]) == bool(named):
            problem = "Choose a source from the list or name a new one, not both."
            self.add_error("new_source", problem if named else "Name the new source.")
        if "campaign" in self.errors:  # a hidden field: nobody would see its own error
            self.add_error(None, "The address of this page names no campaign: come from the campaign's page.")
        return values


class ReadingForm(forms.Form):
    """How the previewed file is read; `columns` are those of a table, in the file's order."""

    format = forms.ChoiceField(label="Format", choices=format_choices)
    encoding = forms.ChoiceField(label="Character encoding", choices=ENCODINGS, required=False)
    client_labels = forms.CharField(label="The client is called", required=False, help_text=LABELS_HELP)
    therapist_labels = forms.CharField(label="The therapist is called", required=False, help_text=LABELS_HELP)

    def __init__(self, *args: Any, columns: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "None"), *((name, name) for name in columns)]
        for name, label in MAPPED_COLUMNS.items() if columns else ():
            self.fields[f"column_{name}"] = forms.ChoiceField(label=label, choices=choices, required=False)
        self.order_fields(["format", "encoding", *(f"column_{name}" for name in MAPPED_COLUMNS)])

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        chosen = {name for name in MAPPED_COLUMNS if values.get(f"column_{name}")}
        if chosen - {"topic"} not in (set(), set(TURN_COLUMNS), set(EXCHANGE_COLUMNS)):
            raise forms.ValidationError(
                "Choose the columns for conversation, speaker and text, or those for what the client wrote "
                "and the answer."
            )
        return values

    def options(self) -> dict[str, Any]:
        """Return what an import job stores."""
        values = self.cleaned_data
        columns = {name: values.get(f"column_{name}", "") for name in MAPPED_COLUMNS}
        speakers = {
            **dict.fromkeys(_labels(values["client_labels"]), "user"),
            **dict.fromkeys(_labels(values["therapist_labels"]), "assistant"),
        }
        return {
            "encoding": values["encoding"],
            "columns": {name: column for name, column in columns.items() if column},
            "speakers": speakers,
        }


class ConversationFilter(forms.Form):
    """Which conversations the list shows."""

    source = forms.UUIDField(required=False)
    job = forms.UUIDField(required=False)

    def ids(self) -> tuple[UUID | None, UUID | None] | None:
        """Return (source, import), None when the query makes no sense."""
        if not self.is_valid():
            return None
        return self.cleaned_data["source"], self.cleaned_data["job"]


def reading_initial(format: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the initial values of a ReadingForm from what an import job stores."""
    labels: dict[str, list[str]] = {"user": [], "assistant": []}
    for label, role in options.get("speakers", {}).items():
        labels.setdefault(role, []).append(label)
    return {
        "format": format,
        "encoding": options.get("encoding", ""),
        "client_labels": ", ".join(labels["user"]),
        "therapist_labels": ", ".join(labels["assistant"]),
        **{f"column_{name}": column for name, column in options.get("columns", {}).items()},
    }


def too_large(body_bytes: int) -> str:
    """Return the sentence for a file that the page does not take."""
    return (
        f"This file has {ceil(body_bytes / MEGABYTE)} MB; the page takes up to "
        f"{settings.UPLOAD_LIMIT_BYTES // MEGABYTE} MB. "
        "Use `manage.py import_conversations PATH`, which has no limit."
    )


def _labels(typed: str) -> list[str]:
    return [label for part in typed.split(",") if (label := part.strip())]
