"""Pages on which people read and sign the documents, and a lead puts a new version in force."""

from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation import permissions
from annotation.agreements import selectors, services
from annotation.agreements.forms import DocumentForm, SignForm
from annotation.agreements.selectors import Paper
from annotation.guidelines.rendering import rendered
from annotation.models import DocumentKind
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role


@require_safe
def documents(request: HttpRequest) -> HttpResponse:
    """List the documents in force and what the person has signed."""
    person = permissions.person(request, *permissions.LEARNERS)
    context = {"papers": selectors.papers_of(person), "signs": person.has_role(*permissions.SIGNERS)}
    return render(request, "annotation/agreements/documents.html", context)


@require_safe
def document(request: HttpRequest, kind: str) -> HttpResponse:
    """Show a document in force, with the form to sign it."""
    person = permissions.person(request, *permissions.LEARNERS)
    paper = _paper(person, kind)
    return _document(request, person, paper, SignForm(initial={"sha256": paper.document.sha256}))


@require_POST
def sign(request: HttpRequest, kind: str) -> HttpResponse:
    """Sign the version that was shown, once the person has confirmed who they are."""
    signer = permissions.person(request, *permissions.SIGNERS)
    paper = _paper(signer, kind)
    form = SignForm(request.POST)
    if not form.is_valid():
        return _document(request, signer, paper, form, status=422)
    raise_if_reauthentication_required(request, app="annotation")
    try:
        services.sign(
            document=paper.document,
            sha256=form.cleaned_data["sha256"],
            signer=signer,
            confirmed_by=_confirmed_by(request, signer),
        )
    except services.DocumentRefusedError as refused:
        messages.warning(request, str(refused))
        return redirect("annotation:document", kind=kind)
    messages.success(request, f"Signed: {paper.document}.")
    return redirect("annotation:documents")


@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: HttpRequest, kind: str) -> HttpResponse:
    """Put a new version of a document in force."""
    lead = permissions.person(request, Role.LEAD)
    paper = _paper(lead, kind)
    standing = {"document_text": paper.document.body}
    form = DocumentForm(request.POST or None, request.FILES or None, initial=standing)
    if request.method == "POST" and form.is_valid():
        version, body = form.cleaned_data["version"], form.cleaned_data["document_text"]
        try:
            services.publish(kind=DocumentKind(kind), version=version, body=body, published_by=lead)
        except services.DocumentRefusedError as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(
                request, f"Version {version} is in force: everybody signs it before the next sample."
            )
            return redirect("annotation:document", kind=kind)
    context = {"paper": paper, "form": form}
    return render(request, "annotation/agreements/publish.html", context, status=422 if form.errors else 200)


def _paper(person: User, kind: str) -> Paper:
    for paper in selectors.papers_of(person):
        if paper.document.kind == kind:
            return paper
    raise Http404


def _document(
    request: HttpRequest, person: User, paper: Paper, form: SignForm, status: int = 200
) -> HttpResponse:
    context = {
        "paper": paper,
        "body": rendered(paper.document.body),
        "form": form,
        "signs": person.has_role(*permissions.SIGNERS),
        "publishes": person.has_role(Role.LEAD),
    }
    return render(request, "annotation/agreements/document.html", context, status=status)


def _confirmed_by(request: HttpRequest, signer: User) -> str:
    """Return how the person confirmed last: the method, or the kind of second factor."""
    confirmed = [one for one in get_authentication_records(request, signer) if one.get("reauthenticated")]
    return str(confirmed[-1].get("type") or confirmed[-1]["method"]) if confirmed else "none"
