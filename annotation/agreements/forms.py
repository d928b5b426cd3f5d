"""What is filled in to sign a document, or to put a new version in force."""

from django import forms

from annotation.guidelines.forms import SIZE_LIMIT_BYTES, VERSION_LIMIT_CHARACTERS, WrittenTexts


class SignForm(forms.Form):
    """The version that was shown, by its sha256, and the agreement to it."""

    sha256 = forms.CharField(min_length=64, max_length=64, widget=forms.HiddenInput)
    agrees = forms.BooleanField(
        label="I have read this and agree to it.",
        error_messages={"required": "Tick this if you agree. Without it nothing is signed."},
    )


class DocumentForm(WrittenTexts):
    """A new version of a document."""

    written = {"document": SIZE_LIMIT_BYTES}

    version = forms.CharField(max_length=VERSION_LIMIT_CHARACTERS, help_text="Such as 1.1.")
    document_file = forms.FileField(
        label="Markdown file", required=False, help_text="Replaces the text below."
    )
    document_text = forms.CharField(
        label="Text",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 18, "spellcheck": "true"}),
    )

    def clean(self) -> dict[str, object]:
        values = super().clean()
        if not values["document_text"] and not self.errors:
            self.add_error("document_text", "Choose a file or write the document here.")
        return values
