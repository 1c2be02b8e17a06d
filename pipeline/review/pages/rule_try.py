"""Try a phrase on the stored calls: what it gains and loses, whose score moves. Nothing is written."""

from typing import Any

from starlette.responses import RedirectResponse, Response

from pipeline.detect.scene import Thresholds
from pipeline.errors import UsageError
from pipeline.review.jobs import Job, State, Watch, kind
from pipeline.review.page import Page
from pipeline.review.render import page_of
from pipeline.review.site import Visit
from pipeline.review.trial_view import Summary, summary
from pipeline.workflows.accounts.policy import Action
from pipeline.workflows.meaning import Understanding
from pipeline.workflows.rulebook.book import Rulebook, rulebook
from pipeline.workflows.rulebook.trial import (
    Attempt,
    checked,
    takes_phrases,
    try_alone,
    weigh,
    with_phrase,
)
from pipeline.workflows.tuning.archive import Archive


def archive_of(visit: Visit, watch: Watch) -> Archive:
    """The stored calls as they are judged, watched."""
    return Archive(
        store=visit.store,
        thresholds=Thresholds.of(visit.site.settings),
        understanding=Understanding(visit.site.settings),
        watch=watch,
    )


def form(visit: Visit) -> Response:
    """What to try; the address may say it beforehand."""
    return _page(visit, _attempt(visit.query))


def start(visit: Visit) -> Response:
    """Begin, and go to where it is told how far it is."""
    attempt, book = _attempt(visit.form), rulebook(visit.site.settings)
    try:
        checked(attempt, book)
        texts = with_phrase(attempt, book) if attempt.rule_id else None
    except UsageError as error:
        answer = _page(visit, attempt, fault=error)
        answer.status_code = 422
        return answer

    def work(watch: Watch) -> Any:
        archive = archive_of(visit, watch)
        return weigh(texts, book, archive) if texts else try_alone(attempt, book, archive)

    key = f"try {book.ruleset.digest} {attempt.rule_id} {attempt.role} {attempt.phrase}"
    job = visit.site.jobs.start(Job(owner=visit.who.login, key=key, about=attempt), work, alone=True)
    return RedirectResponse(f"/rules/try/{job.id}", status_code=303)


def show(visit: Visit) -> Response:
    """What was tried, and what came of it or how far it is."""
    job = visit.site.jobs.find(visit.who.login, visit.params["job"]).as_it_is()
    attempt = job.about if isinstance(job.about, Attempt) else Attempt(phrase="")
    return _page(visit, attempt, job=job)


def state(visit: Visit) -> Response:
    """How far a job is, or its result: a part of any page that waits for it."""
    return state_of(visit, visit.site.jobs.find(visit.who.login, visit.params["job"]))


def state_of(visit: Visit, job: Job) -> Response:
    job = job.as_it_is()
    return page_of(visit, "rule_impact.html", job=job, shown=shown_result(visit, job))


def stop(visit: Visit) -> Response:
    """End a job early."""
    job = visit.site.jobs.find(visit.who.login, visit.params["job"])
    job.stop = True
    return state_of(visit, job)


def shown_result(visit: Visit, job: Job) -> Summary | None:
    """What a job came to; None: it is not done."""
    if job.state is not State.DONE:
        return None
    return summary(visit, job.result, publishing=kind(job) == "impact")


def _attempt(fields: Any) -> Attempt:
    return Attempt(
        phrase=fields.text("phrase"), rule_id=fields.text("rule"), role=fields.text("role", "agent")
    )


def _page(
    visit: Visit, attempt: Attempt, *, job: Job | None = None, fault: UsageError | None = None
) -> Response:
    book: Rulebook = rulebook(visit.site.settings)
    return page_of(
        visit,
        "rule_try.html",
        attempt=attempt,
        rules=tuple(rule for rule in book.ruleset.rules if takes_phrases(rule)),
        job=job,
        shown=shown_result(visit, job) if job else None,
        fault=fault,
    )


PAGES = (
    Page(path="/rules/try", answer=form, action=Action.RULES_TRY),
    Page(path="/rules/try", method="POST", answer=start, action=Action.RULES_TRY),
    Page(path="/rules/try/{job}", answer=show, action=Action.RULES_TRY),
    Page(path="/rules/try/{job}/state", answer=state, action=Action.RULES_TRY),
    Page(path="/rules/try/{job}/stop", method="POST", answer=stop, action=Action.RULES_TRY),
)
