"""A repository's own page: its result, how to load it, where it comes from, and its card."""

from __future__ import annotations

from collections.abc import Iterable

from ...registry.catalog import catalogue
from ...registry.facts import FILE
from ...registry.licences import Licence, licence_id
from ..access import may_read_content
from ..cards import LARGEST_MATTER
from ..mirrors import is_here
from ..refs import all_refs, commit_by_oid
from ..repos import Repo
from ..routing import Answer, Call, Routes
from ..trees import File, all_files
from .kin import tree_of
from .listed import line_of
from .loading import python_lines, shell_lines
from .measured import LARGEST, Measured, by_card, by_facts
from .prose import MOST, as_html, cut, without_matter
from .rendering import page

routes = Routes()
CARD = "README.md"


@routes.get("/{kind:kind}/{owner}/{name}", "/{owner:account}/{name}", look="page")
def overview(call: Call) -> Answer:
    """Show what a repository is."""
    with call.hub.database.reading() as db:
        repo = call.repo(db)
        head = commit_by_oid(db, repo, repo.head) if repo.head else None
        open_to = may_read_content(db, call.caller, repo)
        files = all_files(db, head.tree) if head else []
        kin = tree_of(db, call.caller, repo) if repo.kind == "model" else None
        tags = [ref.name for ref in all_refs(db, repo) if ref.name.startswith("refs/tags/")]
        readable = {file.path: file for file in files} if open_to else {}
        told = {path: readable[path] for path in (CARD, FILE) if path in readable}
        here = {path for path, file in told.items() if is_here(db, call.hub.objects, repo, file)}
    card, longer = _card(call, told[CARD] if CARD in here else None)
    measured = _measured(call, repo, told[FILE] if FILE in here else None, readable.values())
    proven = measured is not None and measured.intact is not None
    private = repo.private or not call.hub.policy.anonymous or bool(repo.gated)
    return page(
        call,
        "repository.html.jinja",
        repo=repo,
        line=line_of(repo),
        head=head,
        open_to=open_to,
        card=as_html(card, repo.name, repo.path, "main") if card else None,
        longer=longer,
        measured=measured,
        licences=_licences(repo),
        kin=kin,
        tags=[name.removeprefix("refs/tags/") for name in tags],
        size_bytes=sum(file.size for file in files),
        number=len(files),
        unsafe=[file.path for file in files if file.unsafe],
        shell=shell_lines(repo, call.base, token=private),
        python=python_lines(repo, repo.facts, card, proven=proven),
        proven=proven,
        tab="card",
    )


def _card(call: Call, file: File | None) -> tuple[str, bool]:
    """Return as much of the card as is shown, and whether there is more of it."""
    if file is None:
        return "", False
    content = call.hub.objects.read(file.sha256, LARGEST_MATTER + 4 * MOST)
    text = content.decode("utf-8", "replace").replace("\0", "")
    short, longer = cut(without_matter(text))
    return short, longer or file.size > len(content)


def _measured(call: Call, repo: Repo, file: File | None, files: Iterable[File]) -> Measured | None:
    if file and file.size <= LARGEST:
        found = by_facts(call.hub.objects.read(file.sha256), files)
        if found:
            return found
    return by_card((repo.facts.get("card") or {}).get("model-index"))


def _licences(repo: Repo) -> list[tuple[str, Licence | None]]:
    """Return the licences that a card names, each with what it is known to allow."""
    known = catalogue().licences
    return [(said, known.get(licence_id(said, known))) for said in line_of(repo).licences]
