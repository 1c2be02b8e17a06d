"""Which scoring of a call a date or a digest names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.errors import NotFound, UsageError
from pipeline.media.values import moment, time_zone
from pipeline.settings import Settings
from pipeline.storage.records import ScoringLine, StoredCall
from pipeline.storage.store import Store

_DAY = re.compile(r"\d{4}[-/.年]?\d{1,2}[-/.月]?\d{1,2}日?")
_DIGEST = re.compile(r"[0-9a-fA-F]{4,64}")
SHOWN = 12
"""Digits of a digest that are shown; any beginning that is unique is understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What `--as-of` names: a scoring of the call, or (`ruleset_digest`) a stored rule set that never scored
    it; then `stored` is the newest scoring."""

    stored: StoredCall
    ruleset_digest: str | None = None


def named(store: Store, recording_id: str, text: str, settings: Settings) -> Named:
    """The scoring in force on a day or at a moment, or the one with this digest, of its card or its rule
    set. Raises NotFound, UsageError: neither a date nor a digest."""
    history = store.history(recording_id)
    try:
        at = moment(text, time_zone(settings.time_zone))
    except ValueError:
        if not _DIGEST.fullmatch(text):
            raise UsageError(
                f"--as-of：看不懂“{text}”，"
                "应为日期（2026-11-24）、时刻（2026-11-24 18:00）或摘要的开头（至少 4 位）",
                hint="callscore history 列出一通电话的每次评分、日期和摘要",
            ) from None
        return _by_digest(store, history, text.lower())
    until = at + timedelta(days=1) if _DAY.fullmatch(text.strip()) else at + timedelta(seconds=1)
    return _by_date(store, history, text, until.astimezone(time_zone(settings.time_zone)))


def _by_date(store: Store, history: Sequence[ScoringLine], text: str, until: datetime) -> Named:
    line = next((line for line in reversed(history) if line.scored_at < until), None)
    if line is None:
        earliest = history[0].scored_at.astimezone(until.tzinfo)
        raise NotFound(
            f"{text} 时这通电话还没有评过分",
            hint=f"最早的一次在 {earliest:%Y-%m-%d %H:%M}；callscore history 列出全部",
        )
    return Named(stored=store.scoring(line.scorecard_id))


def _by_digest(store: Store, history: Sequence[ScoringLine], prefix: str) -> Named:
    for kind in (_card, _rules):
        lines = {kind(line): line for line in history if kind(line).startswith(prefix)}
        if len(lines) > 1:
            raise _ambiguous(prefix, list(lines))
        if lines:
            return Named(stored=store.scoring(next(iter(lines.values())).scorecard_id))
    known = store.ruleset_digests(prefix)
    if len(known) > 1:
        raise _ambiguous(prefix, known)
    if not known:
        raise NotFound(
            f"没有摘要以 {prefix} 开头的评分，也没有这样的规则集",
            hint="callscore history 列出这通电话的每次评分和摘要",
        )
    return Named(stored=store.scoring(history[-1].scorecard_id), ruleset_digest=known[0])


def _card(line: ScoringLine) -> str:
    return line.body_sha256


def _rules(line: ScoringLine) -> str:
    return line.ruleset_digest


def _ambiguous(prefix: str, digests: Sequence[str]) -> NotFound:
    listed = "、".join(digest[:SHOWN] for digest in digests)
    return NotFound(f"{len(digests)} 个摘要以 {prefix} 开头：{listed}", hint="多写几位")
