"""What a lead fills in to make a campaign or change its people."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from annotation.campaigns.asking import Asked, shipped, with_stored_guideline
from annotation.campaigns.selectors import possible_members, stored_schemes
from annotation.guidelines.forms import SIZE_LIMIT_BYTES, VERSION_LIMIT_CHARACTERS, WrittenTexts
from annotation.models import CampaignState
from annotation.schemes import from_text
from annotation.schemes.definition import SchemeError
from prometheus_site.accounts.models import User

SHIPPED, OWN = "shipped", "own"
FAULTS_SHOWN = 50


class CampaignForm(WrittenTexts):
    """A campaign and what it asks; when valid, ``asked`` holds scheme and guideline."""

    written = {"scheme": from_text.SIZE_LIMIT_BYTES, "guideline": SIZE_LIMIT_BYTES}
    asked: Asked

    name = forms.CharField(max_length=200, help_text="As the clinicians will see it.")
    slug = forms.SlugField(
        label="Address name",
        max_length=50,
        help_text="Small letters, digits and hyphens; part of the address.",
    )
    labels_per_sample = forms.IntegerField(
        label="Labels per sample",
        min_value=1,
        max_value=10,
        initial=2,
        help_text="How many clinicians label each sample, blind. Agreement needs at least two.",
    )
    requires_qualification = forms.BooleanField(
        label="Samples go to qualified clinicians only",
        required=False,
        initial=True,
        help_text="They have signed the documents, hold a checked licence, did the training and were decided "
        "on. Without this, every annotator of the campaign gets samples.",
    )
    asks = forms.ChoiceField(label="Scheme", widget=forms.RadioSelect, initial=SHIPPED)
    scheme_file = forms.FileField(
        label="Scheme as a YAML or JSON file", required=False, help_text="Replaces the text below."
    )
    scheme_text = forms.CharField(
        label="Scheme as text",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false", "autocomplete": "off"}),
    )
    guideline_version = forms.CharField(
        label="Version of the guideline", max_length=VERSION_LIMIT_CHARACTERS, required=False
    )
    guideline_file = forms.FileField(
        label="Guideline as a Markdown file", required=False, help_text="Replaces the text below."
    )
    guideline_text = forms.CharField(
        label="Guideline as text",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        default = shipped()
        choices = [(SHIPPED, f"{default.scheme.title} {default.scheme.version}, as shipped")]
        self._stored = {str(one.pk): one for one in stored_schemes() if one.digest != default.scheme.digest()}
        choices += [(pk, f"{one.title} {one.version} ({one.key})") for pk, one in self._stored.items()]
        self.fields["asks"].choices = [*choices, (OWN, "One of your own, below")]  # type: ignore[attr-defined]

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if slug == "new":
            raise forms.ValidationError("“new” is the address of this page: choose another.")
        return slug

    def clean(self) -> dict[str, object]:
        values = super().clean()
        definition = self._definition(values)
        version, body = str(values.get("guideline_version") or ""), str(values["guideline_text"])
        if bool(version) != bool(body) and "guideline_file" not in self.errors:
            missing = "guideline_text" if version else "guideline_version"
            self.add_error(missing, "A guideline of your own needs a version and a text; or leave out both.")
        if definition is None or self.errors:
            return values
        found = Asked(definition, version, body) if body else with_stored_guideline(definition)
        if found is None:
            self.add_error("guideline_version", "No guideline is stored for this scheme. Give it one here.")
        else:
            self.asked = found
        return values

    def wanted(self) -> dict[str, Any]:
        """Return what the campaign's services take; call when the form is valid."""
        values = self.cleaned_data
        plain = {
            name: values[name] for name in ("name", "slug", "labels_per_sample", "requires_qualification")
        }
        return plain | {"asked": self.asked}

    def carried(self) -> list[forms.BoundField]:
        """Return what the preview carries in hidden fields; files have become texts by then."""
        return [field for field in self if field.widget_type != "clearablefile"]

    def _definition(self, values: dict[str, object]) -> dict[str, Any] | None:
        """Return what is asked in its raw form, None when it is at fault."""
        asks = str(values.get("asks", ""))
        if asks != OWN:
            stored = self._stored.get(asks)
            return stored.definition if stored else shipped().definition
        if "scheme_file" in self.errors or "scheme_text" in self.errors:
            return None
        try:
            return from_text.scheme_from_text(str(values["scheme_text"])).definition
        except SchemeError as refused:
            named = "scheme_file" if isinstance(values.get("scheme_file"), UploadedFile) else "scheme_text"
            self.add_error(named, list(refused.problems[:FAULTS_SHOWN]))
            if more := refused.problems[FAULTS_SHOWN:]:
                self.add_error(named, f"And {len(more)} more. Mend these first.")
            return None


class StateForm(forms.Form):
    state = forms.ChoiceField(choices=CampaignState.choices)


class MembersForm(forms.Form):
    members = forms.ModelMultipleChoiceField(
        queryset=User.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="People in this campaign",
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["members"].queryset = possible_members()  # type: ignore[attr-defined]
