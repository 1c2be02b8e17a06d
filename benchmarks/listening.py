"""What more listening brings: several starts, several hypotheses, and words held against the sound.

    python benchmarks/listening.py --corpus FOLDER [--markdown docs/listening.md]

FOLDER holds recordings, metadata.csv and truth/<name>.json. Nothing here is part of a night; it says why a
night listens as it does.
"""

import argparse
import math
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from pipeline.detect.engine import run as run_rules
from pipeline.detect.heard import Heard
from pipeline.detect.scene import Thresholds
from pipeline.findings import Outcome
from pipeline.media.archive import find_recordings
from pipeline.media.metadata import read_metadata
from pipeline.ruleset import RuleSet
from pipeline.samples import RATE, Mono, cut
from pipeline.settings import Settings, load_settings
from pipeline.speech.asr import Recognizer
from pipeline.speech.decoder import Decoder, Features, Manner, Reading, Start
from pipeline.speech.guards import Decoded
from pipeline.speech.listen import Listener
from pipeline.speech.prepare import Prepared, Preparer
from pipeline.speech.weights import ready_model
from pipeline.storage import mapping
from pipeline.timeline import Call, Role, Span
from pipeline.units import Ms
from pipeline.workflows import metrics
from pipeline.workflows.evaluate import Evaluation, HeardCall, measure, observe, read_truths
from pipeline.workflows.loading import load
from pipeline.workflows.metrics import Observed, Truth
from pipeline.workflows.rules import load_rules

HYPOTHESES = 5
LIMITS = (0.0, -2.0, -5.0, -8.0)
GROUPS_SHOWN = ("开场要素", "结束要素", "禁语")
STARTS = {
    "只带提示": (Start.PROMPTED,),
    "只不带提示": (Start.PLAIN,),
    "先不带，没把握的再带（现用）": (Start.PLAIN, Start.PROMPTED),
}
_LONGEST: Ms = 6_000
_AROUND: Ms = 300
_SHORTEST, _LONGEST_PHRASE, _OTHERS = 3, 16, 4
_LEAST = 1e-6


class Asked(Decoder):
    """Decodes from the `starts` asked for and gives the hypothesis of `rank`; 0 is the best."""

    starts: tuple[Start, ...] = ()
    rank = 0

    def __init__(self, *values: Any) -> None:
        super().__init__(*values)
        self._known: dict[bytes, Any] = {}

    def read(self, batch: Sequence[Features], seconds: Sequence[float], manner: Manner) -> list[Reading]:
        starts = self.starts if len(manner.starts) > 1 else manner.starts
        return super().read(batch, seconds, replace(manner, starts=starts))

    def _decode(self, encoded: Any, start: Sequence[int], manner: Manner, windows: int) -> list[Decoded]:
        if not self.rank:
            return super()._decode(encoded, start, manner, windows)
        key = np.asarray(encoded).tobytes() + repr(manner).encode()
        if key not in self._known:
            self._known[key] = self._hypotheses(encoded, start, manner, windows)
        return [self._decoded(hypotheses(result, self.rank)) for result in self._known[key]]

    def _hypotheses(self, encoded: Any, start: Sequence[int], manner: Manner, windows: int) -> Any:
        return self._model.generate(
            encoded,
            [list(start)] * windows,
            beam_size=manner.beam_size,
            num_hypotheses=HYPOTHESES,
            max_length=min(448, 2 * manner.max_tokens),
            repetition_penalty=manner.repetition_penalty,
            no_repeat_ngram_size=manner.no_repeat_ngram,
            suppress_tokens=self._suppressed,
            return_scores=True,
            return_no_speech_prob=True,
        )

    def logprobs(self, sound: Mono, texts: Sequence[str]) -> list[float]:
        """How likely each text is for one sound: the sum over its tokens."""
        encoded = self._encode(
            [self.features(sound, self.frames_for(len(sound) * 1000 // RATE))] * len(texts)
        )
        tokens = [self._tokenizer.encode(text) for text in texts]
        frames = [max(2, len(sound) * 100 // RATE)] * len(texts)
        aligned = self._model.align(encoded, self._tokenizer.sot_sequence, tokens, frames)
        return [sum(math.log(max(p, _LEAST)) for p in one.text_token_probs) for one in aligned]


def hypotheses(result: Any, rank: int) -> SimpleNamespace:
    """A decoding result with one hypothesis as its only one; the last one if there are fewer."""
    at = min(rank, len(result.sequences_ids) - 1)
    return SimpleNamespace(
        sequences_ids=[result.sequences_ids[at]],
        scores=[result.scores[at]],
        no_speech_prob=result.no_speech_prob,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What is listened to, and with what."""

    truths: dict[str, Truth]
    ready: dict[str, Prepared]
    decoder: Asked
    ruleset: RuleSet
    settings: Settings

    def hear(self) -> dict[str, Call]:
        """Every recording, by name, as the decoder is asked now."""
        listener = Listener(
            Recognizer(self.decoder, self.settings), Preparer.open(self.settings), self.settings
        )
        names = {ready.recording.id: name for name, ready in self.ready.items()}
        return {
            names[recording.id]: Call(recording=recording, transcript=mapping.storable(transcript))
            for recording, transcript in listener.hear(self.ready.values())
        }

    def observed(self, call: Call) -> tuple[Observed, ...]:
        findings = run_rules(call, self.ruleset, Thresholds.of(self.settings))
        return observe(findings, mapping.rule_facts(self.ruleset, findings))

    def evaluation(self, calls: dict[str, Call], observed: dict[str, tuple[Observed, ...]]) -> Evaluation:
        results = (
            measure(
                self.truths[name], HeardCall(name=name, transcript=call.transcript, observed=observed[name])
            )
            for name, call in calls.items()
        )
        return Evaluation(results=tuple(results), unheard=())


def main() -> None:
    """Measure, print, write the page."""
    options = _options()
    bench = _bench(options.corpus)
    lines = [*_head(options), *_starts(bench), *_ranks(bench), *_held_against_sound(bench)]
    print("\n".join(lines))
    options.markdown.write_text("\n".join([*lines, ""]), encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, default=Path("data/demo"))
    parser.add_argument("--markdown", type=Path, default=Path("docs/listening.md"))
    return parser.parse_args()


def _bench(corpus: Path) -> Bench:
    settings = load_settings({})
    decoder = Asked(ready_model(settings).folder, settings)
    listener = Listener(Recognizer(decoder, settings), Preparer.open(settings), settings)
    metadata = read_metadata(corpus / "metadata.csv", settings.columns, settings.time_zone)
    truths = {truth.name: truth for truth in read_truths(corpus)}
    ready: dict[str, Prepared] = {}
    for found in find_recordings(corpus, report=print):
        if found.path.stem in truths:
            loaded = load(found.path, metadata.row_for(found.path), settings)
            ready[found.path.stem] = listener.prepare(loaded.recording, loaded.samples, loaded.lost)
    return Bench(truths=truths, ready=ready, decoder=decoder, ruleset=load_rules(settings), settings=settings)


def _starts(bench: Bench) -> Iterator[str]:
    """What the prompt brings, and what two decodings bring."""
    yield from (
        "## 解码几次",
        "",
        *_table("解码", "坐席字错率", "全部字错率", *GROUPS_SHOWN, "识别的处理器时间"),
    )
    first = 0.0
    for title, starts in STARTS.items():
        bench.decoder.starts, bench.decoder.rank = starts, 0
        before = time.process_time()
        calls = bench.hear()
        spent = time.process_time() - before
        first = first or spent
        evaluation = bench.evaluation(calls, {name: bench.observed(call) for name, call in calls.items()})
        rates = (f"{100 * _error_rate(evaluation, role):.1f} %" for role in (Role.AGENT, None))
        yield _row(title, *rates, *_groups(evaluation), f"{spent / first:.2f}")
    yield ""


def _error_rate(evaluation: Evaluation, role: Role | None) -> float:
    counts = [c for r in evaluation.results for c in r.characters if role in (None, c.role)]
    return sum(c.errors for c in counts) / sum(c.characters for c in counts)


def _groups(evaluation: Evaluation) -> Iterator[str]:
    for name in GROUPS_SHOWN:
        score = evaluation.group(name)
        yield f"{score.f1 or 0:.3f}（误 {score.false}，漏 {score.missed}）"


def _ranks(bench: Bench) -> Iterator[str]:
    """A rule may match in any of the best hypotheses, window by window."""
    yield from ("## 束搜索的前几个结果", "", *_table("任一结果里找到就算", *GROUPS_SHOWN))
    bench.decoder.starts = (Start.PLAIN,)
    calls: dict[str, Call] = {}
    observed: dict[str, tuple[Observed, ...]] = {}
    for rank in range(HYPOTHESES):
        bench.decoder.rank = rank
        heard = bench.hear()
        calls = calls or heard
        for name, call in heard.items():
            observed[name] = _joined(observed.get(name, ()), bench.observed(call))
        yield _row(f"前 {rank + 1} 个", *_groups(bench.evaluation(calls, observed)))
    yield ""


def _joined(known: tuple[Observed, ...], more: Iterable[Observed]) -> tuple[Observed, ...]:
    """What was found so far, and what only these words show."""
    for found in more:
        alike = [o for o in known if (o.label, o.category) == (found.label, found.category)]
        near = any(o.outcome is Outcome.PRESENT and o.span.pad(2000).overlaps(found.span) for o in alike)
        if not alike or (found.outcome is Outcome.PRESENT and not near):
            known = (*(o for o in known if o not in alike or o.outcome is Outcome.PRESENT), found)
    return known


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A place heard wrongly: how much likelier than the words heard are the true ones, and others."""

    odd: bool
    true: float
    others: tuple[float, ...]


def _held_against_sound(bench: Bench) -> Iterator[str]:
    """The words really said against those heard and against others, at the places heard wrongly."""
    bench.decoder.starts, bench.decoder.rank = STARTS["先不带，没把握的再带（现用）"], 0
    calls = bench.hear()
    before = time.process_time()
    trials = [trial for name, call in calls.items() for trial in _trials(bench, name, call)]
    spent = (time.process_time() - before) / max(1, len(trials))
    yield from ("## 把某句话放回去再听", "", *_table("门限（对数概率之差）", "真话被接受", "别的话被接受"))
    for limit in LIMITS:
        yield _row(f"{limit:g}", *_accepted(trials, limit))
    for title, odd in (("单号", True), ("双号", False)):
        rest = [trial for trial in trials if trial.odd is not odd]
        limit = max((value for t in trials if t.odd is odd for value in t.others), default=0.0)
        yield _row(f"{title}定门限 {limit:.1f}，另一半", *_accepted(rest, limit))
    yield from ("", f"- 每处处理器时间（不含转写）：{spent:.2f} 秒")


def _accepted(trials: Sequence[Trial], limit: float) -> tuple[str, str]:
    others = [value for trial in trials for value in trial.others]
    true = sum(trial.true > limit for trial in trials)
    return f"{true} / {len(trials)}", f"{sum(value > limit for value in others)} / {len(others)}"


def _trials(bench: Bench, name: str, call: Call) -> Iterator[Trial]:
    """One for each labelled phrase of the agent that was written wrongly, against phrases of other labels."""
    chance, heard = np.random.default_rng(list(name.encode())), Heard.of(call)
    phrases = [(e.label, metrics.normalise(e.text)) for t in bench.truths.values() for e in t.events]
    for event in bench.truths[name].events:
        said, place = metrics.normalise(event.text), _place(heard, event.span)
        if (
            not _SHORTEST <= len(said) <= _LONGEST_PHRASE
            or place is None
            or said in heard.text[slice(*place)]
        ):
            continue
        alike = [p for label, p in phrases if label != event.label and abs(len(p) - len(said)) <= 2]
        texts = [said, *(str(text) for text in chance.permutation(alike)[:_OTHERS])]
        before, *after = _likelihoods(bench, name, call, heard, place, texts)
        true, *others = (value - before for value in after)
        yield Trial(odd=int(re.sub(r"\D", "", name) or 0) % 2 == 1, true=true, others=tuple(others))


def _place(heard: Heard, span: Span) -> tuple[int, int] | None:
    """Positions of the agent's words in a span, if they are neighbours."""
    inside = [
        i
        for i, mark in enumerate(heard.marks)
        if mark.stretch >= 0 and mark.role is Role.AGENT and mark.span.middle in span.pad(120)
    ]
    together = bool(inside) and inside[-1] - inside[0] + 1 == len(inside)
    return (inside[0], inside[-1] + 1) if together else None


def _likelihoods(
    bench: Bench, name: str, call: Call, heard: Heard, place: tuple[int, int], texts: Sequence[str]
) -> list[float]:
    """Of the words heard around a place, then of the same with each of the texts in that place."""
    first, last = _context(heard, *place)
    span = Span(heard.marks[first].span.start, heard.marks[last - 1].span.end).pad(_AROUND)
    channel = call.transcript.turns[heard.marks[place[0]].turn].channel or 0
    sound = cut(bench.ready[name].samples.channel(channel), span)
    before, after = heard.text[first : place[0]], heard.text[place[1] : last]
    spoken = [heard.text[first:last], *(before + text + after for text in texts)]
    return bench.decoder.logprobs(sound, spoken)


def _context(heard: Heard, first: int, last: int) -> tuple[int, int]:
    """The place with its neighbours of the same stretch, a few seconds in all."""
    marks, stretch = heard.marks, heard.marks[first].stretch
    grown = True
    while grown:
        grown = False
        for low, high in ((first - 1, last), (first, last + 1)):
            inside = high <= len(marks) and marks[low].stretch == stretch == marks[high - 1].stretch
            if inside and marks[high - 1].span.end - marks[low].span.start <= _LONGEST:
                first, last, grown = low, high, True
    return first, last


def _table(*headings: str) -> tuple[str, str]:
    return _row(*headings), _row(*("---" for _ in headings))


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def _head(options: argparse.Namespace) -> list[str]:
    when = datetime.now(UTC).date().isoformat()
    return [
        "# 多听一遍值不值",
        "",
        f"{when}，`python benchmarks/listening.py --corpus {options.corpus.name}`，模型 base。",
        "夜间只用第一节里“现用”的一行；其余两节说明为什么不用。",
        "",
    ]


if __name__ == "__main__":
    main()
