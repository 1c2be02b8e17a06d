"""What an inspector decides in one go, held against the form: every name and every value must be on it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches

from pipeline.errors import NotFound, UsageError
from pipeline.findings import Finding, Outcome
from pipeline.queue import progress
from pipeline.scorecard import (
    BATCH,
    FATAL_FAILS,
    FATAL_HOLDS,
    FINAL,
    NOT_APPLICABLE,
    OPEN,
    PARTLY,
    Decision,
    Review,
    ScoredItem,
    Verdict,
)
from pipeline.template import Fatal, Item
from pipeline.workflows.review.selected import ID_SHOWN, Selected, added_of
from pipeline.workflows.review.sheet import Sheet

FINDINGS = (Decision.FINDING_TRUE, Decision.FINDING_FALSE, Decision.FINDING_ADDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Items by id or title; findings by the beginning of their id, or by their rule where it found one thing.
    `values` holds item and level title or points; `reasons` and `notes` hold the name as it is written in the
    other marks and the text, `reason` is for all that have none of their own. `added`: words that a rule
    should have found. `blind`: decided without having seen the machine's levels; `partial`: done although
    items are left; `batch`: accepted unheard; `final`: it settles what it says, whoever decided about it."""

    who: str
    values: tuple[tuple[str, str], ...] = ()
    accept: tuple[str, ...] = ()
    accept_all: bool = False
    true: tuple[str, ...] = ()
    false: tuple[str, ...] = ()
    added: tuple[Selected, ...] = ()
    note: str = ""
    notes: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    reasons: tuple[tuple[str, str], ...] = ()
    done: bool = False
    partial: bool = False
    blind: bool = False
    batch: bool = False
    final: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing is decided."""
        items = self.values, self.accept, self.accept_all
        findings = self.true, self.false, self.added
        return not any((*items, *findings, self.note, self.notes, self.done))

    def why(self, name: str) -> str:
        """The reason for what is said about a name."""
        return dict(self.reasons).get(name, self.reason)


def reviews_of(marks: Marks, sheet: Sheet, at: datetime) -> tuple[Review, ...]:
    """The decisions as reviews. Raises NotFound for a name that is not there, UsageError for the rest."""
    if marks.who == sheet.stored.recording.agent_id:
        raise UsageError(
            f"{marks.who} 是这通电话的坐席，不能评自己", hint="不同意得分：callscore appeal raise"
        )
    _check_blind(marks, sheet)
    made = [*_about_items(marks, sheet), *_about_findings(marks, sheet), *_added(marks, sheet)]
    _check_once(made)
    _check_settled(made, sheet)
    notes = [(target_named(sheet, name).id, note) for name, note in marks.notes if note]
    for target, note in (*notes, *([("", marks.note)] if marks.note else [])):
        made.append(Made(decision=Decision.NOTE, target=target, value=note))
    if marks.done:
        made.append(_done(marks, sheet, {one.target for one in made if one.decision.scores}))
    if not made:
        raise UsageError(
            "没有说要做什么决定", hint="--set 项目=等级或分数、--accept 项目、--false 发现、--note、--done"
        )
    return tuple(_review(marks, sheet, at, decision) for decision in made)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A decision before it is signed."""

    decision: Decision
    target: str
    value: str = ""
    reason: str = ""


def _review(marks: Marks, sheet: Sheet, at: datetime, made: Made) -> Review:
    others = any(review.who != marks.who and review.decision.scores for review in sheet.reviews)
    return Review(
        recording_id=sheet.stored.recording.id,
        who=marks.who,
        at=at,
        decision=made.decision,
        target=made.target,
        value=made.value,
        reason=made.reason,
        template_id="" if made.decision in FINDINGS else sheet.template.id,
        saw_machine=not marks.blind,
        saw_others=others,
    )


def _about_items(marks: Marks, sheet: Sheet) -> Iterator[Made]:
    for name, value in marks.values:
        target = target_named(sheet, name)
        checked, reason = checked_value(target, value), marks.why(name)
        if not marks.blind:
            _check_reason(reason, sheet, target, others=marks.final)
        yield Made(decision=Decision.OVERRIDE, target=target.id, value=checked, reason=reason)
    for name in marks.accept:
        yield replace(_accepted(sheet, target_named(sheet, name)), reason=marks.why(name))
    if marks.accept_all:
        named = {*marks.accept, *(name for name, _ in marks.values)}
        yield from (replace(one, reason=marks.reason) for one in _all_accepted(sheet, named))


def _accepted(sheet: Sheet, target: Item | Fatal) -> Made:
    scored = next((item for item in sheet.machine.items if item.id == target.id), None)
    if scored is None:
        raise UsageError(
            f"“{target.title}”是一票否决项，不能用 --accept",
            hint=f"--set {target.id}={FATAL_HOLDS} 或 {FATAL_FAILS}",
        )
    value = _machines(scored)
    if value is None:
        raise UsageError(f"“{target.title}”机器没有评级，没有可同意的", hint=f"--set {target.id}=等级或分数")
    return Made(decision=Decision.ACCEPT, target=target.id, value=value)


def _machines(scored: ScoredItem) -> str | None:
    """What the machine decided or suggests, as a value."""
    if scored.verdict is Verdict.NOT_APPLICABLE:
        return NOT_APPLICABLE
    if scored.points is not None:
        return scored.level or str(scored.points)
    return scored.suggested and scored.suggested.removesuffix("分").strip()


def _all_accepted(sheet: Sheet, named: set[str]) -> Iterator[Made]:
    """Every item that rules decided and that the inspector has not decided otherwise."""
    done = {r.target for r in sheet.everything if r.appeal_id is not None}
    done |= {review.target for review in sheet.own if review.decision.scores}
    for item in sheet.machine.items:
        if item.verdict.decided and item.id not in done and not named & {item.id, item.title}:
            yield Made(decision=Decision.ACCEPT, target=item.id, value=item.level or str(item.points))


def _about_findings(marks: Marks, sheet: Sheet) -> Iterator[Made]:
    for name in marks.true:
        found = finding_named(sheet, name).id
        yield Made(decision=Decision.FINDING_TRUE, target=found, reason=marks.why(name))
    for name in marks.false:
        if not marks.why(name):
            raise UsageError("说一个发现不实，要写明理由", hint="--reason 为什么")
        found = finding_named(sheet, name).id
        yield Made(decision=Decision.FINDING_FALSE, target=found, reason=marks.why(name))


def _added(marks: Marks, sheet: Sheet) -> Iterator[Made]:
    for selected in marks.added:
        added = added_of(selected, sheet)
        reason = marks.why(selected.rule)
        made = added.finding(sheet.stored.recording.id, marks.who, reason)
        yield Made(decision=Decision.FINDING_ADDED, target=made.id, value=added.value, reason=reason)


def target_named(sheet: Sheet, name: str) -> Item | Fatal:
    """The item or fatal item with this id or title. Raises NotFound, with the nearest names."""
    form: tuple[Item | Fatal, ...] = (*sheet.template.items, *sheet.template.fatal)
    found = [target for target in form if name == target.id] or [t for t in form if name == t.title]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFound(f"有 {len(found)} 个项目叫“{name}”", hint="用编号：" + "、".join(t.id for t in found))
    names = {text: target.id for target in form for text in (target.id, target.title)}
    near = dict.fromkeys(names[text] for text in get_close_matches(name, names, n=6, cutoff=0.4))
    hint = f"最接近的：{'、'.join(list(near)[:3])}" if near else ""
    call = f"callscore review {sheet.stored.recording.name} 列出全部项目"
    raise NotFound(f"《{sheet.template.title}》没有项目“{name}”", hint="；".join(filter(None, (hint, call))))


def finding_named(sheet: Sheet, name: str) -> Finding:
    """By the beginning of the id, or by the rule where it found one thing. Raises NotFound."""
    findings = sheet.stored.findings
    found = [finding for finding in findings if finding.id.startswith(name.lower())] if name else []
    if not found:
        found = [finding for finding in findings if finding.rule_id == name]
    if len(found) == 1:
        return found[0]
    listed = "、".join(finding.id[:ID_SHOWN] for finding in found[:6])
    if found:
        raise NotFound(f"有 {len(found)} 个发现对得上“{name}”", hint=f"写出是哪一个：{listed}")
    present = [finding.id[:ID_SHOWN] for finding in findings if finding.outcome is not Outcome.ABSENT]
    raise NotFound(
        f"这通电话没有发现“{name}”",
        hint=f"callscore review {sheet.stored.recording.name} 列出发现和编号"
        + (f"，如 {present[0]}" if present else ""),
    )


def checked_value(target: Item | Fatal, value: str) -> str:
    """The value as it is kept: a level's title, points with one decimal, or 不适用; for a fatal item 成立 or
    不成立. Raises UsageError, with what may be written."""
    value = value.strip()
    if isinstance(target, Fatal):
        if value not in (FATAL_HOLDS, FATAL_FAILS):
            raise UsageError(
                f"“{target.title}”是一票否决项：写的是“{value}”，应为“{FATAL_HOLDS}”或“{FATAL_FAILS}”",
                hint=f"--set {target.id}={FATAL_HOLDS}",
            )
        return value
    if value == NOT_APPLICABLE or value in {level.title for level in target.levels}:
        return value
    given = _points(value)
    if given is None or not target.least <= given <= target.points:
        raise UsageError(
            f"“{target.title}”没有等级或分数“{value}”",
            hint=f"可以写：{possible_values(target)}，最多一位小数",
        )
    return f"{given:.1f}"


def possible_values(target: Item) -> str:
    """The levels with their points, and the range of points."""
    levels = "、".join(f"{level.title} {_span(level.least, level.points)}" for level in target.levels)
    return "；".join(filter(None, (levels, _span(target.least, target.points))))


def _span(low: Decimal, high: Decimal) -> str:
    return _plain(high) if low == high else f"{_plain(low)}–{_plain(high)}"


def _plain(points: Decimal) -> str:
    return f"{points.normalize():f}"


def _points(value: str) -> Decimal | None:
    """Points with one decimal at most; None: it is no such number."""
    try:
        given = Decimal(value.removesuffix("分").strip())
    except InvalidOperation:
        return None
    if not given.is_finite() or given != round(given, 1):
        return None
    return given


def _check_reason(reason: str, sheet: Sheet, target: Item | Fatal, *, others: bool) -> None:
    """`others`: also where it was people who decided."""
    cards = (sheet.machine, sheet.card) if others else (sheet.machine,)
    decided = any(item.id == target.id and item.verdict.decided for card in cards for item in card.items)
    if not reason and (decided or isinstance(target, Fatal)):
        said = "已经有人评过" if others else "规则已经评过"
        raise UsageError(f"“{target.title}”{said}，改定要写明理由", hint="--reason 为什么")


def _check_blind(marks: Marks, sheet: Sheet) -> None:
    if not marks.blind:
        return
    if marks.accept or marks.accept_all or marks.true or marks.false:
        raise UsageError("--blind 是没看过机器的评级就评，不能同意它，也不能评它的发现", hint="只用 --set")
    if any(review.saw_machine and review.decision.scores for review in sheet.own):
        raise UsageError(f"{marks.who} 已经看着机器的评级评过这通电话，不能再记为盲评", hint="去掉 --blind")


def _check_once(made: Sequence[Made]) -> None:
    targets = [one.target for one in made]
    twice = next((target for target in targets if targets.count(target) > 1), None)
    if twice:
        raise UsageError(f"“{twice}”一次说了两个决定", hint="每个项目、每个发现只写一次")


def _check_settled(made: Iterable[Made], sheet: Sheet) -> None:
    settled = {review.target: review.appeal_id for review in sheet.everything if review.appeal_id is not None}
    for one in made:
        if one.target in settled:
            number = settled[one.target]
            raise UsageError(
                f"“{one.target}”已由申诉 {number} 裁定，不能再改",
                hint=f"callscore appeal show {number} 看经过",
            )


def _done(marks: Marks, sheet: Sheet, decided: set[str]) -> Made:
    """Handed in: complete, in part, in a batch, or as final. What was handed in in part can be completed."""
    if marks.who in progress(sheet.own).full and not marks.final:
        raise UsageError(f"{marks.who} 已经交卷", hint="之后的改动照样记下，不用再交")
    left = [item for item in _left(marks, sheet) if item.id not in decided]
    if left and not marks.partial:
        raise UsageError(
            f"还有 {len(left)} 项没有评：{'、'.join(item.id for item in left)}",
            hint="用 --set 评完再交，或加 --partial 只交评了的",
        )
    value = BATCH if marks.batch else PARTLY if left else FINAL if marks.final else ""
    return Made(decision=Decision.DONE, target="", value=value)


def _left(marks: Marks, sheet: Sheet) -> Iterable[ScoredItem]:
    """What the author has still to decide; for a final review what nobody has."""
    if marks.final:
        return (item for item in sheet.card.items if item.verdict in OPEN)
    return sheet.left(blind=marks.blind)
