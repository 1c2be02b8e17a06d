"""Which speaker is the agent: by channel where the metadata says it, else by what is said and by whom.

The decision adds up log-odds: standard wordings (`wordings`), matched by character and, because speech
recognition writes other characters of the same sound, by syllable; who speaks first, given who called
whom; numbers read out; the amount of talk. The logistic function of the scaled sum is the confidence, so
0.9 is meant to be right nine times in ten.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import exp, log

from pypinyin import lazy_pinyin

from pipeline.speech.wordings import RECORDED, WEIGHTS
from pipeline.timeline import AgentChannel, Direction, Role, RoleAssignment, Turn

SCALE = 0.5
"""The wordings of one speaker depend on each other: their sum counts this much."""

CERTAIN = 0.995
_CHANNEL_LOG_ODDS = 5.0
_MOST_LOG_ODDS = 9.0
_SOUND_DISCOUNT, _NEAR_DISCOUNT = 0.8, 0.6
_SOUND_LENGTH, _NEAR_LENGTH = 3, 5
_REPEATS = 3
_DIGITS = frozenset("0123456789零幺一二三四五六七八九两")
_MIN_DIGITS = 6

_FIRST_INBOUND, _FIRST_OUTBOUND, _FIRST_UNKNOWN = 1.6, -1.6, 0.5
_READS_NUMBER, _TALK, _LAST = -0.8, 0.5, 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What speaks for (above 0) or against a speaker being the agent; `found` counts the wordings."""

    speaker: int
    log_odds: float = 0.0
    found: dict[str, int] = field(default_factory=dict)
    characters: int = 0

    def standard(self, agent: bool) -> list[str]:
        """The wordings found for one side, the weightiest first."""
        wanted = [w for w in self.found if (WEIGHTS[w] > 0) == agent]
        return sorted(wanted, key=lambda w: (-abs(WEIGHTS[w]), w))


def assign_roles(
    turns: Sequence[Turn],
    direction: Direction | None = None,
    agent_channel: AgentChannel | None = None,
) -> tuple[dict[int, Role], RoleAssignment]:
    """A role for each speaker number, with a confidence and a reason (Simplified Chinese).

    `turns` need speaker, channel and words. `agent_channel` LEFT or RIGHT decides where turns have a
    channel; the words then only raise doubt. Beyond two, speakers are OTHER.
    """
    evidence = {e.speaker: e for e in _evidence(turns)}
    if not evidence:
        return {}, RoleAssignment(confidence=0.0, reason="没有可辨认的话语")
    by_channel = _by_channel(turns, agent_channel)
    if by_channel:
        return by_channel, _channel_assignment(by_channel, evidence, turns, direction)
    return _by_words(evidence, turns, direction)


# By channel


def _by_channel(turns: Sequence[Turn], agent_channel: AgentChannel | None) -> dict[int, Role]:
    """Roles where the metadata names the agent's channel and the turns have one; else empty."""
    side = {AgentChannel.LEFT: 0, AgentChannel.RIGHT: 1}.get(agent_channel) if agent_channel else None
    channel_of = {turn.speaker: turn.channel for turn in turns if turn.channel is not None}
    if side is None or not channel_of:
        return {}
    return {s: Role.AGENT if c == side else Role.CUSTOMER for s, c in sorted(channel_of.items())}


def _channel_assignment(
    roles: dict[int, Role],
    evidence: dict[int, Evidence],
    turns: Sequence[Turn],
    direction: Direction | None,
) -> RoleAssignment:
    agents = [s for s, role in roles.items() if role is Role.AGENT]
    others = [s for s in roles if s not in agents]
    words = _log_odds(
        agents[0] if agents else None, others[0] if others else None, evidence, turns, direction
    )
    confidence = min(CERTAIN, _logistic(_CHANNEL_LOG_ODDS + words))
    if words < -_CHANNEL_LOG_ODDS / 2:
        reason = f"元数据指定了坐席声道，但用语与之相反，声道可能接反；{_told(evidence.values())}"
    else:
        reason = "元数据指定了坐席声道"
    return RoleAssignment(confidence=round(confidence, 3), reason=reason)


# By words


def _by_words(
    evidence: dict[int, Evidence], turns: Sequence[Turn], direction: Direction | None
) -> tuple[dict[int, Role], RoleAssignment]:
    first, second = _main_speakers(evidence, turns)
    odds = _log_odds(first, second, evidence, turns, direction)
    agent, customer = (first, second) if odds >= 0 else (second, first)
    roles = dict.fromkeys(sorted(evidence), Role.OTHER)
    roles |= {s: r for s, r in ((agent, Role.AGENT), (customer, Role.CUSTOMER)) if s is not None}
    confidence = round(min(CERTAIN, _logistic(abs(odds))), 3)
    main = [evidence[s] for s in (agent, customer) if s is not None]
    return roles, RoleAssignment(confidence=confidence, reason=_reason(agent, main, turns, direction))


def _main_speakers(evidence: dict[int, Evidence], turns: Sequence[Turn]) -> tuple[int, int | None]:
    """The two who talk most; an announcement played by a machine is nobody."""
    recorded = {s for s in evidence if _is_recorded(turn.text for turn in turns if turn.speaker == s)}
    people = [e for e in evidence.values() if e.speaker not in recorded]
    pool = people if len(people) >= min(2, len(evidence)) else list(evidence.values())
    ranked = sorted(pool, key=lambda e: (-e.characters, e.speaker))
    return ranked[0].speaker, (ranked[1].speaker if len(ranked) > 1 else None)


def _is_recorded(texts: Iterable[str]) -> bool:
    said = list(texts)
    return len(said) <= 3 and any(wording in text for text in said for wording in RECORDED)


def _log_odds(
    first: int | None,
    second: int | None,
    evidence: dict[int, Evidence],
    turns: Sequence[Turn],
    direction: Direction | None,
) -> float:
    """Log-odds that `first` is the agent and `second` the customer."""
    one, two = (evidence.get(s) if s is not None else None for s in (first, second))
    words = SCALE * ((one.log_odds if one else 0.0) - (two.log_odds if two else 0.0))
    odds = words + _turn_taking(first, second, turns, direction) + _talk(one, two)
    return max(-_MOST_LOG_ODDS, min(_MOST_LOG_ODDS, odds))


def _turn_taking(
    first: int | None, second: int | None, turns: Sequence[Turn], direction: Direction | None
) -> float:
    """Who speaks first and who has the last word."""
    ordered = [
        t.speaker for t in sorted(turns, key=lambda t: t.span) if t.speaker in (first, second) and t.text
    ]
    if not ordered or second is None:
        return 0.0
    opening = {Direction.INBOUND: _FIRST_INBOUND, Direction.OUTBOUND: _FIRST_OUTBOUND}
    start = opening.get(direction, _FIRST_UNKNOWN) if direction else _FIRST_UNKNOWN
    return (start if ordered[0] == first else -start) + (_LAST if ordered[-1] == first else -_LAST)


def _talk(one: Evidence | None, two: Evidence | None) -> float:
    """Agents talk somewhat more."""
    if one is None or two is None:
        return 0.0
    return max(-1.0, min(1.0, _TALK * log((one.characters + 10) / (two.characters + 10))))


def _logistic(odds: float) -> float:
    return 1 / (1 + exp(-odds))


# Wordings


def _evidence(turns: Sequence[Turn]) -> list[Evidence]:
    speakers = sorted({turn.speaker for turn in turns if turn.text})
    return [_evidence_of(s, [t.text for t in turns if t.speaker == s]) for s in speakers]


def _evidence_of(speaker: int, texts: Sequence[str]) -> Evidence:
    odds: dict[str, list[float]] = {}
    for text in texts:
        for wording, weight in _wordings_in(_han(text)):
            odds.setdefault(wording, []).append(weight)
    numbers = min(2, sum(_reads_number(text) for text in texts)) * _READS_NUMBER
    return Evidence(
        speaker=speaker,
        log_odds=numbers + sum(_saturated(weights) for weights in odds.values()),
        found={wording: len(weights) for wording, weights in sorted(odds.items())},
        characters=sum(len(_han(text)) for text in texts),
    )


def _saturated(weights: Sequence[float]) -> float:
    """Each repetition of a wording says half as much as the one before."""
    return float(sum(weight * 0.5**index for index, weight in enumerate(weights[:_REPEATS])))


def _wordings_in(text: str) -> list[tuple[str, float]]:
    """The table's wordings in `text` (Han characters only), longest first, and what each weighs here."""
    sounds, taken, found = _sounds(text), [False] * len(text), []
    for wording, sound in _by_length():
        for start, discount in _matches(text, sounds, wording, sound):
            place = slice(start, start + len(wording))
            if not any(taken[place]):
                taken[place] = [True] * len(wording)
                found.append((wording, WEIGHTS[wording] * discount))
    return found


def _matches(text: str, sounds: str, wording: str, sound: str) -> list[tuple[int, float]]:
    """Where the wording is: written so, sounding so, or (long ones) but for one syllable."""
    size = len(wording)
    places = dict.fromkeys(_all(text, wording), 1.0)
    if size >= _SOUND_LENGTH:
        places = dict.fromkeys(_all(sounds, sound), _SOUND_DISCOUNT) | places
    if size >= _NEAR_LENGTH:
        near = (s for s in range(len(sounds) - size + 1) if _differs_once(sounds[s : s + size], sound))
        places = dict.fromkeys(near, _NEAR_DISCOUNT) | places
    return sorted(places.items(), key=lambda place: (-place[1], place[0]))


def _all(text: str, part: str) -> list[int]:
    starts, at = [], text.find(part)
    while at >= 0:
        starts.append(at)
        at = text.find(part, at + 1)
    return starts


def _differs_once(one: str, other: str) -> bool:
    return sum(a != b for a, b in zip(one, other, strict=True)) == 1


@lru_cache(maxsize=1)
def _by_length() -> tuple[tuple[str, str], ...]:
    ordered = sorted(WEIGHTS, key=lambda w: (-len(w), w))
    return tuple((wording, _sounds(wording)) for wording in ordered)


def _han(text: str) -> str:
    return "".join(c for c in text if "\u4e00" <= c <= "\u9fff")


def _reads_number(text: str) -> bool:
    """A number of several digits read out, which customers do when asked for one."""
    run = longest = 0
    for character in text:
        run = run + 1 if character in _DIGITS else (run if character in "，,、 -" else 0)
        longest = max(longest, run)
    return longest >= _MIN_DIGITS


# Sound


def _sounds(text: str) -> str:
    """One character a syllable: equal where two syllables sound alike without their tones."""
    numbers = _numbers()
    return "".join(chr(0xE000 + numbers.get(_plain(s), 0)) for s in lazy_pinyin(text)) if text else ""


def _plain(syllable: str) -> str:
    """One name for syllables that telephone lines confuse."""
    plain = syllable
    for retroflex, flat in (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l")):
        if plain.startswith(retroflex):
            plain = flat + plain[len(retroflex) :]
            break
    return plain[:-1] if plain.endswith(("ang", "eng", "ing")) else plain


@lru_cache(maxsize=1)
def _numbers() -> dict[str, int]:
    """A number from 1 for each class of syllables of the basic Han characters."""
    syllables = lazy_pinyin([chr(code) for code in range(0x4E00, 0x9FA6)])
    return {plain: n for n, plain in enumerate(sorted(set(map(_plain, syllables))), start=1)}


# Reasons


def _reason(
    agent: int | None, main: Sequence[Evidence], turns: Sequence[Turn], direction: Direction | None
) -> str:
    opener = min(turns, key=lambda t: t.span).speaker
    called = {Direction.INBOUND: "呼入", Direction.OUTBOUND: "呼出"}.get(direction, "") if direction else ""
    start = f"{called}先开口的是说话人{opener}" if called else f"先开口的是说话人{opener}"
    who = f"判断说话人{agent}为坐席" if agent is not None else "没有听到坐席"
    return f"{who}：{_told(main)}；{start}"


def _told(evidence: Iterable[Evidence]) -> str:
    parts = [_told_of(e) for e in sorted(evidence, key=lambda e: e.speaker)]
    return "；".join(part for part in parts if part) or "没有明显的用语"


def _told_of(evidence: Evidence) -> str:
    said = []
    for name, agent in (("服务用语", True), ("客户用语", False)):
        wordings = evidence.standard(agent)
        if wordings:
            count = sum(evidence.found[w] for w in wordings)
            said.append(f"{name} {count} 处（{'、'.join(wordings[:3])}{'…' if len(wordings) > 3 else ''}）")
    return f"说话人{evidence.speaker}：{'，'.join(said)}" if said else ""
