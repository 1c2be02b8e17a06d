"""The checks of `callscore rules lint` by name. A new one is one function and one line here."""

from collections.abc import Callable, Iterator, Mapping

from pipeline.detect.lints import conditions, examples, forms, regular, shape, speech, words
from pipeline.detect.lints.notice import Notice
from pipeline.detect.lints.subject import Subject

Check = Callable[[Subject], Iterator[Notice]]

CHECKS: Mapping[str, Check] = {
    "ambiguous-choice": forms.ambiguous_choice,
    "contradiction": speech.contradictions,
    "duplicate": words.duplicates,
    "example-contradiction": examples.example_contradiction,
    "example-harmless": examples.example_harmless,
    "example-recommended": examples.example_recommended,
    "example-twice": examples.example_twice,
    "expired": shape.expired,
    "harmless-speech": speech.harmless_speech,
    "meeting-gaps": words.meeting_gaps,
    "never-found": words.never_found,
    "no-case": shape.no_case,
    "nobody-fills": forms.nobody_fills,
    "opposite-cases": shape.opposite_cases,
    "recommended-wording": speech.recommended_wording,
    "regex-repeated": regular.repeated_regex,
    "regex-short": regular.short_regex,
    "regex-slow": regular.slow_regex,
    "regex-unbounded": regular.unbounded_regex,
    "regex-wide": regular.wide_regex,
    "shadowed": words.shadowed,
    "short": words.short,
    "slipped-label": shape.slipped_labels,
    "slow": shape.slow,
    "sums": forms.sums,
    "unreachable-level": conditions.unreachable_levels,
    "unreadable-case": shape.unreadable_cases,
}
