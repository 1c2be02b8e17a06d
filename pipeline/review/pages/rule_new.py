"""A new rule: said what it is to be, then a draft like any other."""

from starlette.responses import RedirectResponse, Response

from pipeline.errors import UsageError
from pipeline.review.page import Page, one, posted
from pipeline.review.render import page_of
from pipeline.review.site import Visit
from pipeline.workflows.accounts.policy import Action
from pipeline.workflows.rulebook.begin import NewRule, begin, folders
from pipeline.workflows.rulebook.book import Rulebook, rulebook


def form(visit: Visit) -> Response:
    """Where a rule is begun; the address may say of which it is to be a copy."""
    new = NewRule(id="", title="", like=visit.query.text("like"))
    return _page(visit, rulebook(visit.site.settings), new)


def start(visit: Visit) -> Response:
    """Keep the draft, and go to where it is written. What will not do stays in the page."""
    text, book = visit.form.text, rulebook(visit.site.settings)
    new = NewRule(**{name: text(name) for name in NewRule.__dataclass_fields__})
    try:
        draft = begin(new, book, visit.store, visit.who, at=visit.now)
    except UsageError as fault:
        answer = _page(visit, book, new, fault=fault)
        answer.status_code = 422
        return answer
    return RedirectResponse(f"/rules/{draft.rule_id}/draft", status_code=303)


def _page(visit: Visit, book: Rulebook, new: NewRule, *, fault: UsageError | None = None) -> Response:
    return page_of(
        visit,
        "rule_new.html",
        new=new,
        rules=tuple(sorted(book.ruleset.rules, key=lambda rule: rule.id)),
        folders=folders(book),
        fault=fault,
    )


PAGES = (
    Page(path="/rules/new", answer=form, action=Action.RULES_EDIT, thing=one),
    posted("/rules/new", start, Action.RULES_EDIT, one),
)
