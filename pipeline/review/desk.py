"""One inspector's work on one call: the sheet, the draft, and the card that the draft makes of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.errors import UsageError
from pipeline.review.site import Form, Visit
from pipeline.scorecard import Scorecard
from pipeline.storage.queue_records import Conflict, Draft, DraftKey
from pipeline.timeline import Recording
from pipeline.workflows.review.drafts import Fault, Saving, marks_of, preview, save
from pipeline.workflows.review.marks import Marks
from pipeline.workflows.review.queue import lease
from pipeline.workflows.review.selected import Selected
from pipeline.workflows.review.sheet import Sheet, sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """`card` is what the person's draft makes of what they may see; `blind`: they see neither the machine's
    answer nor others'; `holder`: who else has the call now, "" for nobody."""

    found: Sheet
    draft: Draft | None
    marks: Marks
    card: Scorecard
    faults: tuple[Fault, ...]
    blind: bool
    holder: str = ""
    is_mine: bool = False

    @property
    def recording(self) -> Recording:
        return self.found.stored.recording

    @property
    def version(self) -> int:
        return self.draft.version if self.draft else 0

    @property
    def key(self) -> DraftKey:
        return DraftKey(recording_id=self.recording.id, who=self.found.who)


def desk(visit: Visit) -> Desk:
    """The call of the address, as this person may see it. Raises NotFound, UsageError."""
    found = sheet(visit.store, visit.params["call"], visit.who.login)
    key = DraftKey(recording_id=found.stored.recording.id, who=visit.who.login)
    draft = visit.store.draft(key)
    blind = found.template.reviews.blind and found.hidden > 0
    marks = replace(marks_of(draft) if draft else Marks(who=visit.who.login), blind=blind)
    shown = preview(found, marks, at=visit.now)
    line = visit.store.queue_line(key.recording_id)
    holder = line.assigned_to if line else None
    return Desk(
        found=found,
        draft=draft,
        marks=marks,
        card=shown.card,
        faults=shown.faults,
        blind=blind,
        holder=holder if holder and holder != visit.who.login else "",
        is_mine=holder == visit.who.login,
    )


def marked(now: Desk, visit: Visit) -> Conflict | None:
    """Keep one more mark of the draft; Conflict: it was changed in another window meanwhile. Raises
    UsageError for a mark that the form does not allow."""
    at = visit.now
    marks = with_mark(now.marks, visit.form)
    _check_fits(now, marks, at)
    saving = Saving(
        key=now.key,
        marks=marks,
        version=visit.form.number("version", 0) or 0,
        seen=now.found.seen,
    )
    kept = save(visit.store, saving, at=at, until=lease(visit.site.settings, at))
    return kept if isinstance(kept, Conflict) else None


def _check_fits(now: Desk, marks: Marks, at: datetime) -> None:
    """Raises UsageError: the form does not allow what was marked last; the draft stays as it was."""
    known = set(now.faults)
    for fault in preview(now.found, marks, at=at).faults:
        if fault not in known:
            raise UsageError(fault.message, hint=fault.hint)


def with_mark(marks: Marks, form: Form) -> Marks:
    """The marks with what one form says; a mark about the same thing gives way. Raises UsageError."""
    kind = "accept" if form.text("accept") else form.text("kind")
    change = CHANGES.get(kind)
    if change is None:
        raise UsageError("不知道要记什么", hint="刷新页面，再做一次")
    return change(marks, form)


def _without(marks: Marks, name: str) -> Marks:
    """Nothing said about an item or a finding any more."""
    return replace(
        marks,
        values=tuple(pair for pair in marks.values if pair[0] != name),
        reasons=tuple(pair for pair in marks.reasons if pair[0] != name),
        accept=tuple(one for one in marks.accept if one != name),
        true=tuple(one for one in marks.true if one != name),
        false=tuple(one for one in marks.false if one != name),
    )


def _with_reason(marks: Marks, name: str, form: Form) -> Marks:
    reason = form.text("reason")
    return replace(marks, reasons=(*marks.reasons, (name, reason))) if reason else marks


def _value(marks: Marks, form: Form) -> Marks:
    name, value = form.text("target"), form.text("value")
    if not value:
        raise UsageError("没有写分数", hint="填一个分数，再提交")
    clean = _without(marks, name)
    return _with_reason(replace(clean, values=(*clean.values, (name, value))), name, form)


def _accept(marks: Marks, form: Form) -> Marks:
    name = form.text("target")
    clean = _without(marks, name)
    return _with_reason(replace(clean, accept=(*clean.accept, name)), name, form)


def _true(marks: Marks, form: Form) -> Marks:
    name = form.text("target")
    clean = _without(marks, name)
    return replace(clean, true=(*clean.true, name))


def _false(marks: Marks, form: Form) -> Marks:
    name = form.text("target")
    clean = _without(marks, name)
    return _with_reason(replace(clean, false=(*clean.false, name)), name, form)


def _add(marks: Marks, form: Form) -> Marks:
    start, end = form.number("start"), form.number("end")
    if start is None or end is None:
        raise UsageError("没有选中话", hint="先在转写里选中几个字")
    rule = form.text("target")
    selected = Selected(rule=rule, start=start, end=end)
    if selected in marks.added:
        raise UsageError(
            "这几个字已经记过这条规则", hint="在没有归入项目的发现里看，或在用到这条规则的项目里看"
        )
    made = replace(marks, added=(*marks.added, selected))
    return _with_reason(made, rule, form)


def _take_back(marks: Marks, form: Form) -> Marks:
    """Without the words that the draft adds at this place for this rule."""
    start, end, rule = form.number("start"), form.number("end"), form.text("target")
    kept = tuple(
        one
        for one in marks.added
        if one.rule != rule or start is None or end is None or one.end <= start or one.start >= end
    )
    return replace(marks, added=kept)


def _note(marks: Marks, form: Form) -> Marks:
    return replace(marks, note=form.text("value"))


CHANGES: dict[str, Callable[[Marks, Form], Marks]] = {
    "accept": _accept,
    "add": _add,
    "false": _false,
    "note": _note,
    "take_back": _take_back,
    "true": _true,
    "value": _value,
}
