"""Why an item is filled in as it is, in words for people."""

from collections.abc import Iterable

from pipeline.findings import Finding, Outcome
from pipeline.scorecard import Deducted
from pipeline.scoring.conditions import Answer
from pipeline.template import Item, Level

NOBODY_CAN_KNOW = "录音无法判断，请复核"
FOR_THE_INSPECTOR = "请质检员判断"


def joined(explanations: Iterable[str]) -> str:
    """Each explanation once, with semicolons."""
    return "；".join(dict.fromkeys(text.rstrip("。") for text in explanations))


def unknown(because: Iterable[Finding]) -> str:
    """What keeps anybody from knowing."""
    causes = [f.explanation for f in because if f.outcome is Outcome.CANNOT_TELL]
    return joined(causes) or NOBODY_CAN_KNOW


def not_applicable(given: Answer) -> str:
    causes = [finding.explanation for finding in given.because]
    return "不适用：" + (joined(causes) or "本项不用于这类通话")


def left_open(item: Item) -> str:
    """Why a person decides where no rule does."""
    return item.note or item.manual_because or FOR_THE_INSPECTOR


def suggestion(level: Level | None, reached: Answer, evidence: tuple[Finding, ...]) -> str:
    """What rules would choose, and the clues."""
    seen = [f for f in (reached.because or evidence) if f.outcome is Outcome.PRESENT]
    clues = joined(finding.explanation for finding in seen)
    if level is not None and reached.holds:
        return f"建议{level.title}，{FOR_THE_INSPECTOR}" + (f"。线索：{clues}" if clues else "")
    return f"{FOR_THE_INSPECTOR}。线索：{clues}" if clues else FOR_THE_INSPECTOR


def decided(because: Iterable[Finding], item: Item, otherwise: str) -> str:
    reason = joined(finding.explanation for finding in because) or otherwise
    return f"{reason}（{item.note}）" if item.note else reason


def deducted(taken: Iterable[Deducted], again: int, because: Iterable[Finding], item: Item) -> str:
    """What was taken, and for what; `again` findings about the same words took nothing."""
    told = [f"扣 {one.points} 分（{one.text or f'{len(one.findings)} 处'}）" for one in taken]
    return (
        decided(because, item, "")
        if not told
        else f"{'，'.join(told)}{once(again)}：{decided(because, item, '')}"
    )


def once(again: int) -> str:
    """Why so many findings took nothing."""
    return f"（{again} 个发现说的是同一处，只扣一次）" if again else ""
