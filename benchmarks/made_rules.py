"""Rules for the archive benchmark: phrase rules in the style of `rules/forbidden`, made from a seed."""

import random
from functools import cache
from pathlib import Path

import jieba

from pipeline.detect.load import parse_ruleset
from pipeline.detect.pattern import Char, Choice, Gap, Sequence, parse
from pipeline.ruleset import RuleSet

PERSONS = ("我", "你", "我们", "你们", "自己", "人家", "公司", "这边", "那边", "系统", "领导", "客服")
ADVERBS = (
    "不",
    "没",
    "别",
    "就",
    "都",
    "不会",
    "不能",
    "没法",
    "必须",
    "只能",
    "从来",
    "根本",
    "反正",
    "凭什么",
)
ENDINGS = ("不了", "不着", "没用", "算了", "就行", "再说", "干什么", "有意思吗", "跟我没关系", "不就完了")
SHAPES = (
    "{p}[{d}|{d}]{v}{n}",
    "({v}|{v}|{v}){n}{e}",
    "{p}{d}{v}…{n}",
    "{d}{v}[的|了]{n}",
    "{p}[这边|那边]{d}({v}|{v})[{n}|{n}]",
    "{n}[都|也]{v}{e}",
    "{v}{n}[你|就]{d}{v}",
    "({p}|{p}){d}{v}…4({n}|{n})",
    "{d}({v}|{v}|{v})[你的|这个]({n}|{n})",
    "{n}({d}|{d})({v}|{v}){e}",
)
EXCEPTS = ("(请|麻烦)…{phrase}", "不是说{phrase}", "{phrase}…6(对不起|抱歉)", "像{phrase}这样的")


@cache
def vocabulary() -> dict[str, list[tuple[str, int]]]:
    """Words with how often they occur, by the first letter of their kind: n, v, ..."""
    found: dict[str, list[tuple[str, int]]] = {}
    path = Path(jieba.__file__).parent / "dict.txt"
    for line in path.read_text(encoding="utf-8").splitlines():
        word, count, kind = line.split()
        if len(word) <= 4 and all("\u4e00" <= char <= "\u9fff" for char in word):
            found.setdefault(kind[0], []).append((word, int(count)))
    return {kind: sorted(words, key=lambda w: (-w[1], w[0])) for kind, words in sorted(found.items())}


@cache
def _listed(kind: str) -> tuple[str, ...]:
    """Words of two characters in ordinary use."""
    return tuple(word for word, _ in vocabulary()[kind][:6000] if len(word) == 2)[:2000]


def phrase(rng: random.Random) -> str:
    """One pattern with its options written out at random."""
    filled = rng.choice(SHAPES)
    for mark, words in (
        ("{p}", PERSONS),
        ("{d}", ADVERBS),
        ("{e}", ENDINGS),
        ("{v}", _listed("v")),
        ("{n}", _listed("n")),
    ):
        while mark in filled:
            filled = filled.replace(mark, rng.choice(words), 1)
    return filled


def made_rules(count: int, seed: int) -> RuleSet:
    """`count` rules of three to eight patterns with exceptions; some have a window, some allow no edits."""
    rng = random.Random(seed)
    return parse_ruleset({f"made/r{i:04}.yml": rule_text(f"made.r{i:04}", rng) for i in range(count)})


def rule_text(rule_id: str, rng: random.Random) -> str:
    """One rule file."""
    lines = [
        f"id: {rule_id}",
        f"title: 禁语{rule_id[-4:]}",
        "label: forbidden",
        "category: blunt",
        "why: 基准",
    ]
    lines += ["detector: phrase", f"role: {rng.choices(('agent', 'customer', 'any'), (85, 10, 5))[0]}"]
    if rng.random() < 0.2:
        lines.append("max_edits: 0")
    if rng.random() < 0.05:
        lines.append(f"window: {{{rng.choice(('first_turns: 3', 'last_turns: 3', 'last_seconds: 60'))}}}")
    lines += ["phrases:", *(f'  - "{phrase(rng)}"' for _ in range(rng.randint(3, 8)))]
    lines += ["except:", *(f'  - "{text}"' for text in rng.sample(EXCEPTS, rng.randint(1, 3)))]
    return "\n".join(lines) + "\n"


def spoken(pattern: str, rng: random.Random) -> str:
    """One way to say a pattern; gaps are passed over."""
    return _said(parse(pattern).nodes, rng)


def _said(nodes: Sequence, rng: random.Random) -> str:
    said = ""
    for node in nodes:
        match node:
            case Char(char):
                said += char
            case Choice(options):
                said += _said(rng.choice(options), rng)
            case Gap():
                said += rng.choice(("", "这个", "你们"))
    return said
