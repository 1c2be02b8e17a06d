"""Four ways of matching on sentences that no rule was written against, by label: as they were said, and as
recognition may write them (`benchmarks/misheard.py`).

    python benchmarks/wordings.py [--sentences tests/data/unseen.tsv] [--markdown docs/wordings.md]

Each sentence is the only turn of a call, early or late as its label asks. A sentence is judged for its own
label: found or not; an ordinary one for every forbidden rule.
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.misheard import written
from pipeline.detect import engine
from pipeline.detect.pattern import matchable
from pipeline.detect.script import call_of
from pipeline.findings import Outcome
from pipeline.resources import shipped_rules
from pipeline.ruleset import RuleSet, Status
from pipeline.settings import Settings
from pipeline.timeline import Call
from pipeline.workflows.baseline import METHODS
from pipeline.workflows.meaning import Understanding
from pipeline.workflows.rules import load_rules

OPENING = ("agent_id_or_name", "company", "greeting_word", "offer_help", "permission_asked", "purpose_stated")
CLOSING = ("problem_resolved_confirm", "anything_else", "satisfaction_invite", "thanks", "goodbye")
OUTBOUND = ("callback_appointment", "contact_left", "permission_asked", "purpose_stated")
ORDINARY, FORBIDDEN = "ordinary", "forbidden"
SEEDS = (101, 102, 103)
"""Each sentence is misheard so often. Learning uses other seeds."""


class Sentence(NamedTuple):
    label: str
    category: str
    expected: str
    role: str
    text: str

    @property
    def key(self) -> str:
        return f"{self.label}.{self.category}" if self.category else self.label

    @property
    def group(self) -> str:
        if self.label in (FORBIDDEN, ORDINARY):
            return "【禁语】"
        if self.label in OPENING[:4]:
            return "【开场要素】"
        return "【结束要素】" if self.label in CLOSING else "【其他】"

    def call(self) -> Call:
        direction = "outbound" if self.label in OUTBOUND else "inbound"
        who, start = "客户" if self.role == "customer" else "坐席", 2 if self.label in OPENING else 20
        return call_of(f"# direction {direction}\n# duration 60\n{who} {start} {self.text}")


def misheard(sentence: Sentence, seed: int) -> Call:
    """The call as recognition may write it."""
    chars = written(sentence.text, seed)
    call = sentence._replace(text="".join(one.char for one in chars)).call()
    (turn,) = call.transcript.turns
    pairs = zip(turn.words, (one for one in chars if matchable(one.char)), strict=True)
    words = tuple(replace(word, probability=one.probability) for word, one in pairs)
    return replace(call, transcript=replace(call.transcript, turns=(replace(turn, words=words),)))


@dataclass(slots=True)
class Count:
    right: int = 0
    false: int = 0
    missed: int = 0

    def shares(self) -> tuple[str, str, str]:
        """Precision, recall, F1."""
        found, there = self.right + self.false, self.right + self.missed
        values = (
            self.right / found if found else None,
            self.right / there if there else None,
            2 * self.right / (found + there) if found + there else None,
        )
        first, second, third = ("—" if value is None else f"{value:.3f}" for value in values)
        return first, second, third


Counts = dict[str, dict[str, Count]]
"""By way of matching, and by label or group."""


def read(path: Path) -> list[Sentence]:
    """The sentences of a table, comments left out."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Sentence(*line.split("\t")) for line in lines if line and not line.startswith("#")]


def measure(sentences: list[Sentence], seed: int | None = None, ways: Iterable[str] = METHODS) -> Counts:
    """Counts by way of matching, of the sentences as they were said, or as they are misheard with a seed."""
    understanding = Understanding(Settings(rules=str(shipped_rules())))
    ruleset = understanding.taught(load_rules(understanding.settings))
    heard = (one.call() if seed is None else misheard(one, seed) for one in sentences)
    calls = [understanding.with_sentences(call) for call in heard]
    return {name: _counted(sentences, calls, METHODS[name](ruleset)) for name in ways}


def together(many: Iterable[Counts]) -> Counts:
    """The sums."""
    summed: Counts = {}
    for method, label, count in ((m, k, c) for one in many for m, d in one.items() for k, c in d.items()):
        known = summed.setdefault(method, {}).get(label, Count())
        summed[method][label] = Count(
            right=known.right + count.right,
            false=known.false + count.false,
            missed=known.missed + count.missed,
        )
    return summed


def _counted(sentences: list[Sentence], calls: list[Call], ruleset: RuleSet) -> dict[str, Count]:
    counts: dict[str, Count] = defaultdict(Count)
    parts = {label: _only(ruleset, label) for label in {s.label for s in sentences}}
    for sentence, call in zip(sentences, calls, strict=True):
        part = parts[sentence.label]
        known = {rule.id: rule.category or "" for rule in part.rules}
        found = Counter(known[f.rule_id] for f in engine.run(call, part) if f.outcome is Outcome.PRESENT)
        for key in (sentence.key, sentence.group):
            _add(counts[key], sentence, found)
    return counts


def _only(ruleset: RuleSet, label: str) -> RuleSet:
    wanted = FORBIDDEN if label == ORDINARY else label
    rules = (r for r in ruleset.rules if r.label == wanted and r.status is Status.ACTIVE)
    needed = {need.id: need for rule in rules for need in engine.with_needs(ruleset, rule)}
    return replace(ruleset, rules=tuple(needed[rule_id] for rule_id in sorted(needed)))


def _add(count: Count, sentence: Sentence, found: Counter[str]) -> None:
    own = found[sentence.category] > 0
    if sentence.expected == "hit":
        count.right += own
        count.missed += not own
    else:
        any_counts = sentence.label in (ORDINARY, FORBIDDEN) or not sentence.category
        count.false += bool(found) if any_counts else own


def table(counts: Counts, sentences: list[Sentence]) -> list[str]:
    """Markdown lines: groups first, then every label."""
    size = Counter(key for s in sentences for key in (s.key, s.group))
    keys = sorted(size, key=lambda key: (not key.startswith("【"), key))
    heads = [f"{name} {part}" for name in counts for part in ("精确率", "召回率", "F1")]
    lines = ["| " + " | ".join(("标签", "句数", *heads)) + " |", "|---|---:|" + "---:|" * len(heads)]
    for key in keys:
        shares = [share for found in counts.values() for share in found[key].shares()]
        lines.append("| " + " | ".join((key, str(size[key]), *shares)) + " |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=Path, default=Path("tests/data/unseen.tsv"))
    parser.add_argument("--markdown", type=Path, default=Path("docs/wordings.md"))
    options = parser.parse_args()
    sentences = read(options.sentences)
    with ProcessPoolExecutor() as pool:
        clean, *damaged = pool.map(partial(measure, sentences), (None, *SEEDS))
    lines = [
        "# 没见过的说法",
        "",
        f"{datetime.now(UTC).date().isoformat()}，`python benchmarks/wordings.py`，{len(sentences)} 句。",
        "句子由没有看过规则的人按标签的定义写成：该听出来的新说法，和不该报的相像的话。文字没有识别错误；",
        "规则没有照着它们改过，以后也不照着它们改。四种匹配用的是同一批规则。",
        "",
        *table(clean, sentences),
        "",
        "## 识别写错以后",
        "",
        f"同样的句子，每句按识别写错字的样子写坏 {len(SEEDS)} 遍：一百个字里错 16 个上下，四成同音，",
        "其余近音、别的音，或者漏掉，常常连着错。比例量自标注过的通话（`benchmarks/mishearing.py`），",
        "不看规则。",
        "",
        *table(together(damaged), sentences * len(SEEDS)),
        "",
    ]
    print("\n".join(lines))
    options.markdown.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
