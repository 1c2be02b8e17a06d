"""The rules: the list with how each does, one rule with its cases and findings, its history."""

from datetime import date
from itertools import islice
from typing import Any

from starlette.responses import Response

from pipeline.detect.lint import CHECKS
from pipeline.errors import UsageError
from pipeline.review.jobs import Job, steps
from pipeline.review.page import Page
from pipeline.review.render import page_of
from pipeline.review.rules_view import (
    ARROWS,
    SEVERITIES,
    STATUSES,
    TONES,
    Asked,
    Choices,
    RuleHead,
    rule_rows,
    shown_notices,
)
from pipeline.review.site import Visit
from pipeline.review.things import seen
from pipeline.ruleset import Status
from pipeline.workflows.accounts.policy import Action, offers
from pipeline.workflows.rulebook.book import Rulebook, rulebook
from pipeline.workflows.rulebook.checks import about, known_notices, linted, run_cases_of
from pipeline.workflows.rulebook.differences import lines_of
from pipeline.workflows.rulebook.git import work_tree
from pipeline.workflows.rulebook.health import healths
from pipeline.workflows.rulebook.trial import takes_phrases

RECENT = 20
TITLES = {"severities": SEVERITIES, "tones": TONES, "statuses": STATUSES, "arrows": ARROWS}
DONE = {
    "published": "已发布。规则文件已经写好，从下一次评分起用新的。",
    "withdrawn": "改稿已撤回，规则没有变。",
}


def about_rule(visit: Visit, head: RuleHead, tab: str) -> dict[str, Any]:
    """What the head of every page about one rule shows."""
    return {
        "head": head,
        "rule": head.rule,
        "draft": visit.store.rule_draft(head.id),
        "tab": tab,
        "may_edit": offers(visit.who.role, Action.RULES_EDIT),
        "may_try": offers(visit.who.role, Action.RULES_TRY),
        **TITLES,
    }


def rules(visit: Visit) -> Response:
    """All rules, filtered as the address says."""
    book, found = rulebook(visit.site.settings), healths(visit.store)
    drafts = {draft.rule_id: draft for draft in visit.store.rule_drafts()}
    asked = Asked.of(visit.query)
    every = book.ruleset.rules
    return page_of(
        visit,
        "rules.html",
        rows=rule_rows(every, found, drafts, asked),
        asked=asked,
        choices=Choices.of(every),
        found=found,
        count=len(every),
        active=sum(rule.status is Status.ACTIVE for rule in every),
        drafts=len(drafts),
        begun=tuple(draft for draft in drafts.values() if draft.is_new),
        may_edit=offers(visit.who.role, Action.RULES_EDIT),
        faults=book.faults,
        done=DONE.get(visit.query.text("done"), ""),
        may_try=offers(visit.who.role, Action.RULES_TRY),
        **TITLES,
    )


def counted(visit: Visit) -> Response:
    """Whether the hits are counted by now; then the page that waits is asked for anew."""
    if healths(visit.store).counted:
        return Response(headers={"HX-Refresh": "true"})
    return page_of(visit, "rules_counting.html")


def rule(visit: Visit) -> Response:
    """One rule: its file, how it does, what it found lately in calls that the person may open."""
    book = rulebook(visit.site.settings)
    found = book.rule(visit.params["rule"])
    found_by_all = healths(visit.store)
    placed = ((place.recording, place) for place in visit.store.rule_findings(found.id))
    return page_of(
        visit,
        "rule.html",
        lines=book.text(found.id).split("\n"),
        found=found_by_all,
        health=found_by_all.of(found.id),
        recent=tuple(islice(seen(visit, placed), RECENT)),
        takes_phrases=takes_phrases(found),
        done=DONE.get(visit.query.text("done"), ""),
        **about_rule(visit, RuleHead(id=found.id, rule=found), "rule"),
    )


def cases(visit: Visit) -> Response:
    """The cases of a rule, run now; a part of its page."""
    book = rulebook(visit.site.settings)
    found = book.rule(visit.params["rule"])
    results = run_cases_of(found, book.ruleset, visit.site.settings)
    return page_of(visit, "rule_cases.html", results=results)


def lint(visit: Visit) -> Response:
    """What the checks say about a rule among all others; a part of its page, asked for until it is there."""
    book = rulebook(visit.site.settings)
    found = book.rule(visit.params["rule"])
    today = visit.now.date()
    notices = known_notices(book.texts, today)
    job = None if notices is not None else _linting(visit, book, today)
    return page_of(
        visit,
        "rule_lint.html",
        rule=found,
        job=job,
        notices=shown_notices(about(found.source.path, notices or ()), book.text(found.id)),
    )


def _linting(visit: Visit, book: Rulebook, today: date) -> Job:
    """Over all rules the checks take many seconds, once for each change of a file."""
    job = Job(owner=visit.who.login, key=f"lint {book.ruleset.digest} {today}")
    work = lambda watch: linted(book.texts, today, steps(watch, len(CHECKS)))  # noqa: E731
    return visit.site.jobs.start(job, work)


def history(visit: Visit) -> Response:
    """The commits of a rule's file, and what one of them changed."""
    book = rulebook(visit.site.settings)
    found = book.rule(visit.params["rule"])
    path, tree, fault = found.source.path, None, ""
    try:
        tree = work_tree(book.folder)
    except UsageError as error:
        fault = str(error)
    commits = tree.commits(path) if tree else ()
    chosen = visit.query.text("revision") or (commits[0].revision if commits else "")
    return page_of(
        visit,
        "rule_history.html",
        commits=commits,
        chosen=chosen,
        lines=lines_of(tree.diff(chosen, path)) if tree and chosen else (),
        fault=fault,
        **about_rule(visit, RuleHead(id=found.id, rule=found), "history"),
    )


PAGES = (
    Page(path="/rules", answer=rules, action=Action.RULES_VIEW),
    Page(path="/rules/counted", answer=counted, action=Action.RULES_VIEW),
    Page(path="/rules/{rule}", answer=rule, action=Action.RULES_VIEW),
    Page(path="/rules/{rule}/cases", answer=cases, action=Action.RULES_VIEW),
    Page(path="/rules/{rule}/lint", answer=lint, action=Action.RULES_VIEW),
    Page(path="/rules/{rule}/history", answer=history, action=Action.RULES_VIEW),
)
