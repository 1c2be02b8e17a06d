"""Words that an inspector selected because a rule is about them: held against transcript and rules."""

from dataclasses import dataclass
from difflib import get_close_matches

from pipeline.errors import NotFound, UsageError
from pipeline.ruleset import Rule, Status
from pipeline.scoring.added import Added, found_at
from pipeline.timeline import Span, Turn
from pipeline.units import Ms, clock
from pipeline.workflows.review.sheet import Sheet

ID_SHOWN = 8
"""So many digits of a finding's id are shown; any unique beginning names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """From where to where in the recording, and the rule, by its id or title."""

    rule: str
    start: Ms
    end: Ms


def added_of(selected: Selected, sheet: Sheet) -> Added:
    """The selected words as the transcript has them: those whose middle lies within, of one turn.

    Raises NotFound: no such rule; UsageError: a draft rule, no words or those of several turns, words of the
    other side, or something that was found already.
    """
    rule = rule_named(selected.rule, sheet)
    turn = _turn(selected, sheet)
    if rule.role is not None and turn.role is rule.role.opposite is not rule.role:
        raise UsageError(
            f"“{rule.title}”说的是{rule.role.chinese}，选的话是{turn.role.chinese}说的",
            hint="角色认反了，先互换角色：callscore rescore --swap-roles",
        )
    span = Span(selected.start, selected.end)
    words = [word for word in turn.words if word.span.middle in span]
    whole = Span(words[0].span.start, words[-1].span.end)
    found = found_at(rule.id, whole, sheet.stored.findings)
    if found is not None:
        raise UsageError(
            f"{clock(whole.start)} 已有“{rule.title}”的发现 {found.id[:ID_SHOWN]}",
            hint=f"同意它：--true {found.id[:ID_SHOWN]}",
        )
    quote = "".join(word.text for word in words)
    return Added(rule=rule.id, span=whole, turn=turn.index, role=turn.role, quote=quote)


def rule_named(name: str, sheet: Sheet) -> Rule:
    """The rule of the card's rule set with this id or title. Raises NotFound, UsageError: it is a draft."""
    rules = sheet.ruleset.rules
    found = sheet.ruleset.rule(name) or next((rule for rule in rules if rule.title == name), None)
    if found is None:
        near = get_close_matches(name, [text for rule in rules for text in (rule.id, rule.title)], n=3)
        raise NotFound(
            f"没有规则“{name}”", hint=f"最接近的：{'、'.join(near)}" if near else "callscore rules list"
        )
    if found.status is Status.DRAFT:
        raise UsageError(f"“{found.title}”是草稿规则，不计分", hint="请质量负责人先启用它")
    return found


def _turn(selected: Selected, sheet: Sheet) -> Turn:
    if selected.end <= selected.start:
        raise UsageError("没有选中话", hint="从第一个字选到最后一个字")
    span = Span(selected.start, selected.end)
    turns = [
        turn for turn in sheet.stored.transcript.turns if any(word.span.middle in span for word in turn.words)
    ]
    if len(turns) == 1:
        return turns[0]
    where = f"{clock(span.start)}–{clock(span.end)}"
    if turns:
        raise UsageError(f"{where} 选的话跨了 {len(turns)} 轮", hint="只选一个人连着说的话")
    raise UsageError(f"{where} 没有识别出的话", hint="选转写里的字")
