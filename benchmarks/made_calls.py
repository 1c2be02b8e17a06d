"""Calls for the archive benchmark: about 1,200 characters each, made from a seed, misheard in places.

A pool of turns is made once; a call is a row of turns drawn from it, sometimes with a turn that says what
a rule forbids. Word frequencies, probabilities and times are like those of recognised calls.
"""

import json
import random
from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import cast

import numpy as np
from numpy.typing import NDArray

from benchmarks.made_rules import spoken, vocabulary
from pipeline.detect.archive import compact
from pipeline.detect.archive.compact import Compact
from pipeline.detect.detectors.phrase import PhraseParameters
from pipeline.detect.sound import readings
from pipeline.ruleset import RuleSet
from pipeline.timeline import Role

POOL, FORBIDDEN_POOL = 20_000, 6_000
CHARACTERS = 1_200
FORBIDDEN_SHARE = 0.1
"""Calls of which one turn says what a rule looks for."""
MISHEARD = 0.1
UNCERTAIN_ROLES = 0.02
ORDINARY = (
    "您好，请问有什么可以帮您？",
    "好的，请稍等，我帮您查一下。",
    "请问您的手机号码是多少？",
    "是这个号码没错。",
    "嗯，我明白了。",
    "您看这样处理可以吗？",
    "那大概需要多长时间呢？",
    "请问还有其他问题吗？",
    "没有了，谢谢。",
    "不好意思，让您久等了。",
    "这个我不太清楚，您帮我看一下。",
    "感谢您的来电，祝您生活愉快，再见。",
)
Columns = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One turn of the pool: units of the text, text as written, word columns, length in ms."""

    text: str
    role: Role
    units: NDArray[np.uint16]
    written: str
    words: Columns
    duration: int


_ABOUT: dict[str, object] = {
    "turns": [],
    "rings": [],
    "holds": [],
    "silences": [],
    "overlaps": [],
    "unclear": [],
    "overlaps_audible": True,
    "roles": {},
    "provenance": {
        "pipeline": "1",
        "model": "base",
        "model_sha256": "0" * 64,
        "settings_digest": "0" * 16,
    },
}


class Speaker:
    """Makes turns out of words as frequent as they are in the language."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        words = [pair for pairs in vocabulary().values() for pair in pairs if pair[1] > 50]
        self._words = [word for word, _ in words]
        self._weights = list(accumulate(count**0.8 for _, count in words))
        self._alike: dict[str, list[str]] = {}
        for char in dict.fromkeys("".join(word for word, count in words if count > 3000)):
            for reading in readings(char):
                self._alike.setdefault(reading[:-1], []).append(char)

    def word(self) -> str:
        return self._words[bisect(self._weights, self.rng.random() * self._weights[-1])]

    def sentence(self) -> str:
        if self.rng.random() < 0.3:
            return self.rng.choice(ORDINARY)
        length = self.rng.randint(3, 14)
        words = [self.word() + ("，" if self.rng.random() < 0.12 else "") for _ in range(length)]
        return "".join(words).rstrip("，") + self.rng.choice("。。。？")

    def forbidden(self, ruleset: RuleSet) -> tuple[str, Role]:
        """A sentence that holds a phrase of a rule, and who says it."""
        rule = self.rng.choice(ruleset.rules)
        said = spoken(self.rng.choice(cast(PhraseParameters, rule.parameters).phrases), self.rng)
        before, after = self.word(), self.word()
        return f"{before}{said}{after}。", rule.role or Role.AGENT

    def turn(self, text: str, role: Role) -> Spoken:
        """The text as recognition gives it: times, probabilities, some characters of the same sound."""
        words = list(self._heard(text))
        columns = np.array([row for _, row in words], np.int64)
        heard = "".join(word for word, _ in words)
        chars = [char for char in heard if compact.matchable(char)]
        shown = "".join(compact.SHOWN if compact.matchable(char) else char for char in heard)
        return Spoken(
            text=heard,
            role=role,
            units=np.array([ord(char) for char in chars], np.uint16),
            written=shown,
            words=columns,
            duration=int(columns[:, :2].sum()),
        )

    def _heard(self, text: str) -> Iterator[tuple[str, tuple[int, int, int, int]]]:
        for i, char in enumerate(text):
            if not compact.matchable(char):
                continue
            sure = min(1000, int(1000 * self.rng.betavariate(6, 1)))
            if self.rng.random() < MISHEARD and readings(char):
                char, sure = self._misheard(char), self.rng.randint(100, 900)
            mark = text[i + 1] if i + 1 < len(text) and not compact.matchable(text[i + 1]) else ""
            gap = 20 * self.rng.randint(5, 30) if i and not compact.matchable(text[i - 1]) else 0
            yield char + mark, (gap, 20 * self.rng.randint(6, 14), sure, len(char + mark))

    def _misheard(self, char: str) -> str:
        return self.rng.choice(self._alike.get(readings(char)[0][:-1], [char]))


class Archive:
    """Calls by number; call `i` is the same however many are made."""

    def __init__(self, ruleset: RuleSet, seed: int) -> None:
        speaker = Speaker(seed)
        roles = (Role.AGENT, Role.CUSTOMER)
        self._seed = seed
        self.pool = [speaker.turn(speaker.sentence(), roles[i % 2]) for i in range(POOL)]
        self.forbidden = [speaker.turn(*speaker.forbidden(ruleset)) for _ in range(FORBIDDEN_POOL)]

    def turns(self, number: int) -> list[Spoken]:
        """Agent and customer in turns, about `CHARACTERS` long."""
        rng = random.Random(self._seed * 1_000_003 + number)
        said: list[Spoken] = []
        size = 0
        while size < CHARACTERS:
            turn = self.pool[2 * rng.randrange(POOL // 2) + len(said) % 2]
            said.append(turn)
            size += len(turn.units)
        if rng.random() < FORBIDDEN_SHARE:
            turn = rng.choice(self.forbidden)
            at = rng.randrange(len(said) - 1)
            said[at + (said[at].role is not turn.role)] = turn
        return said

    def call(self, number: int) -> tuple[Compact, int]:
        """The compact call, and its length in ms."""
        rng = random.Random(self._seed * 1_000_003 + number + 1)
        said = self.turns(number)
        confidence = 0.55 if rng.random() < UNCERTAIN_ROLES else 0.99
        pauses = [20 * rng.randint(10, 60) for _ in said]
        ends = np.cumsum([turn.duration + pause for turn, pause in zip(said, pauses, strict=True)])
        return _packed(said, pauses, ends, confidence), int(ends[-1]) + 1000


def _packed(said: Sequence[Spoken], pauses: list[int], ends: NDArray[np.int64], confidence: float) -> Compact:
    roles = [compact.ROLES.index(turn.role) for turn in said]
    units = [np.concatenate(([role], turn.units)) for role, turn in zip(roles, said, strict=True)]
    words = np.concatenate([turn.words for turn in said])
    firsts = np.cumsum([0, *(len(turn.words) for turn in said[:-1])])
    words[firsts, 0] += pauses
    rows = [
        (i, role, role, -1, end - turn.duration, end, len(turn.words), len(turn.units))
        for i, (turn, role, end) in enumerate(zip(said, roles, ends.tolist(), strict=True))
    ]
    about = _ABOUT | {"roles": {"confidence": confidence, "reason": "声纹"}}
    order = [(i, i) for i in range(len(said))]
    details = (
        json.dumps(about, ensure_ascii=False, separators=(",", ":")).encode(),
        "".join(turn.written for turn in said).encode(),
        compact.planes(np.array(rows, np.int64)),
        compact.planes(np.array(order, np.int64)),
        compact.planes(words),
    )
    return compact.packed(confidence, np.concatenate(units).astype(np.uint16), details)
