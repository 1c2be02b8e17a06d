"""A draft of a rule: edit it with its faults in place, see what it changes, publish it by a second person."""

from dataclasses import dataclass, replace
from typing import Any

from starlette.responses import RedirectResponse, Response

from pipeline.detect.lint import CHECKS, Notice
from pipeline.detect.lints.accepted import CHECK as WEIGHED
from pipeline.detect.plain_yaml import MOST_BYTES
from pipeline.errors import UsageError
from pipeline.review.jobs import Job, State, Watch, steps
from pipeline.review.page import Page, one, posted
from pipeline.review.pages.rule_try import archive_of, state_of
from pipeline.review.pages.rules import about_rule
from pipeline.review.render import page_of
from pipeline.review.rules_view import RuleHead, shown_notices
from pipeline.review.site import Visit
from pipeline.review.things import rule_draft_thing
from pipeline.storage.rule_drafts import RuleDraft
from pipeline.workflows.accounts.policy import Action, may, offers
from pipeline.workflows.rulebook.book import Rulebook, rulebook, sha256_of
from pipeline.workflows.rulebook.checks import CaseResult, about, linted, reading, run_cases_of
from pipeline.workflows.rulebook.differences import lines_between
from pipeline.workflows.rulebook.drafts import (
    Edit,
    draft_of,
    open_draft,
    save,
    typed,
    withdraw,
)
from pipeline.workflows.rulebook.publish import check_place, check_text, publish
from pipeline.workflows.rulebook.trial import weigh

LARGEST_FILE = 4 * MOST_BYTES
"""Of a form with a rule file in it: a browser sends three bytes for one of a Chinese character."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What the slower checks of a text found."""

    notices: tuple[Notice, ...]
    results: tuple[CaseResult, ...]


def edit(visit: Visit) -> Response:
    """The text of the draft, or of the file in force, with its faults."""
    book = rulebook(visit.site.settings)
    draft = draft_of(visit.params["rule"], book, visit.store, visit.now)
    return _editor(visit, book, draft, text=draft.text)


def keep(visit: Visit) -> Response:
    """Save what was typed, faults and all. What cannot be saved stays in the page."""
    book = rulebook(visit.site.settings)
    typed_text = raw(visit)
    asked = Edit(rule_id=visit.params["rule"], text=typed_text, version=visit.form.number("version", 0) or 0)
    try:
        save(asked, book, visit.store, visit.who, at=visit.now)
    except UsageError as error:
        draft = draft_of(visit.params["rule"], book, visit.store, visit.now)
        answer = _editor(visit, book, draft, text=typed_text, fault=error)
        answer.status_code = 409
        return answer
    return RedirectResponse(f"/rules/{asked.rule_id}/draft", status_code=303)


def check(visit: Visit) -> Response:
    """Look at what was typed without saving it: a part of the page, asked for until it is there."""
    book = rulebook(visit.site.settings)
    path, text = _path(visit, book), typed(raw(visit))
    texts, today = book.changed(path, text), visit.now.date()

    def work(watch: Watch) -> Checked:
        found = reading(texts, path)
        if found.rule is None:
            return Checked(notices=found.notices, results=())
        results = run_cases_of(found.rule, found.ruleset, visit.site.settings)
        notices = linted(found.ruleset.files, today, steps(watch, len(CHECKS)))
        both = {*(notice for notice in about(path, notices) if notice.check != WEIGHED), *found.notices}
        return Checked(notices=tuple(both), results=results)

    key = f"check {book.ruleset.digest} {path} {sha256_of(text)} {today}"
    job = Job(owner=visit.who.login, key=key, about=(visit.params["rule"], text))
    return _checked(visit, visit.site.jobs.start(job, work, alone=True))


def checking(visit: Visit) -> Response:
    """How far a check is, or what it found."""
    return _checked(visit, visit.site.jobs.find(visit.who.login, visit.params["job"]))


def _checked(visit: Visit, job: Job) -> Response:
    job = job.as_it_is()
    rule_id, text = job.about
    result = job.result if job.state is State.DONE else Checked(notices=(), results=())
    return page_of(
        visit,
        "rule_check.html",
        rule_id=rule_id,
        job=job,
        notices=shown_notices(result.notices, text),
        results=result.results,
    )


def give_up(visit: Visit) -> Response:
    """Withdraw the draft that the person saw. Raises UsageError: it changed meanwhile."""
    draft = _seen_draft(visit)
    withdraw(draft, visit.store, visit.who, at=visit.now)
    return RedirectResponse("/rules?done=withdrawn", status_code=303)


def compare(visit: Visit) -> Response:
    """What the draft changes, line by line, and whether it can be published."""
    return _comparison(visit, _open_draft(visit))


def release(visit: Visit) -> Response:
    """Publish the draft that the person saw. What stands against it is told on the page."""
    book, draft = rulebook(visit.site.settings), _seen_draft(visit)
    try:
        check_place(draft, book)
        check_text(draft, book, visit.site.settings, visit.now.date())
        publish(draft, book, visit.store, visit.who, at=visit.now)
    except UsageError as error:
        answer = _comparison(visit, draft, fault=error)
        answer.status_code = 409
        return answer
    return RedirectResponse(f"/rules/{draft.rule_id}?done=published", status_code=303)


def impact(visit: Visit) -> Response:
    """Begin to weigh the draft against the archive; a part of the page that waits for it."""
    book, draft = rulebook(visit.site.settings), _open_draft(visit)

    def work(watch: Watch) -> Any:
        check_text(draft, book, visit.site.settings, visit.now.date())
        return weigh(book.changed(draft.path, draft.text), book, archive_of(visit, watch))

    key = f"impact {book.ruleset.digest} {draft.rule_id} {sha256_of(draft.text)}"
    job = Job(owner=visit.who.login, key=key, about=draft.rule_id)
    return state_of(visit, visit.site.jobs.start(job, work, alone=True))


def raw(visit: Visit) -> str:
    """What stands in the text field, with its blanks."""
    return "".join(visit.form.values.get("text", ())[-1:])


def _path(visit: Visit, book: Rulebook) -> str:
    return draft_of(visit.params["rule"], book, visit.store, visit.now).path


def _open_draft(visit: Visit) -> RuleDraft:
    return open_draft(visit.params["rule"], visit.store)


def _seen_draft(visit: Visit) -> RuleDraft:
    """The draft as it was when the person saw it. Raises NotFound, UsageError: it changed meanwhile."""
    draft = _open_draft(visit)
    if draft.version != visit.form.number("version", 0):
        raise UsageError("改稿刚刚有了变化，没有提交", hint="刷新页面，看过再决定")
    return draft


def _editor(
    visit: Visit, book: Rulebook, draft: RuleDraft, *, text: str, fault: UsageError | None = None
) -> Response:
    found = reading(book.changed(draft.path, text), draft.path)
    return page_of(
        visit,
        "rule_edit.html",
        text=text,
        notices=shown_notices(found.notices, text),
        live_changed=_live_changed(draft, book),
        is_own=book.is_own,
        fault=fault,
        people=_people(visit),
        **(about_rule(visit, _head(book, draft), "draft") | {"draft": draft}),
    )


def _head(book: Rulebook, draft: RuleDraft) -> RuleHead:
    """The rule as it is in force; a new one as its draft says."""
    known = book.ruleset.rule(draft.rule_id)
    if known is not None:
        return RuleHead(id=draft.rule_id, rule=known)
    found = reading(book.changed(draft.path, draft.text), draft.path)
    return RuleHead(id=draft.rule_id, rule=found.rule, is_new=True)


def _people(visit: Visit) -> dict[str, str]:
    """Names by login."""
    return {user.login: user.name for user in visit.store.users()}


def _live_changed(draft: RuleDraft, book: Rulebook) -> bool:
    return sha256_of(book.texts.get(draft.path, "")) != draft.base_sha256


def _comparison(visit: Visit, draft: RuleDraft, *, fault: UsageError | None = None) -> Response:
    book = rulebook(visit.site.settings)
    live = book.texts.get(draft.path, "")
    changed = _live_changed(draft, book)
    if fault is None:
        fault = _fault_of_place(draft, book)
    return page_of(
        visit,
        "rule_publish.html",
        lines=lines_between(draft.base, draft.text),
        live_changed=changed,
        live_lines=lines_between(draft.base, live) if changed else (),
        fault=fault,
        may_publish=may(visit.who, Action.RULES_PUBLISH, rule_draft_thing(visit)),
        has_publisher=offers(visit.who.role, Action.RULES_PUBLISH),
        people=_people(visit),
        **(about_rule(visit, _head(book, draft), "publish") | {"draft": draft}),
    )


def _fault_of_place(draft: RuleDraft, book: Rulebook) -> UsageError | None:
    try:
        check_place(draft, book)
    except UsageError as error:
        return error
    return None


PAGES = (
    Page(path="/rules/{rule}/draft", answer=edit, action=Action.RULES_EDIT, thing=one),
    replace(posted("/rules/{rule}/draft", keep, Action.RULES_EDIT, one), largest_form=LARGEST_FILE),
    replace(posted("/rules/{rule}/check", check, Action.RULES_EDIT, one), largest_form=LARGEST_FILE),
    Page(path="/rules/{rule}/check/{job}", answer=checking, action=Action.RULES_EDIT, thing=one),
    posted("/rules/{rule}/withdraw", give_up, Action.RULES_EDIT, one),
    Page(path="/rules/{rule}/publish", answer=compare, action=Action.RULES_VIEW),
    posted("/rules/{rule}/publish", release, Action.RULES_PUBLISH, rule_draft_thing),
    Page(path="/rules/{rule}/impact", method="POST", answer=impact, action=Action.RULES_TRY),
)
