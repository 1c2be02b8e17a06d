"""Rule sets that scored a call on an earlier day are read by every later program: disputes replay them."""

from pathlib import Path
from zipfile import ZipFile

from pipeline.detect.load import parse_ruleset

EARLIER = Path(__file__).parents[1] / "data" / "earlier_rules.zip"
"""The shipped rules of 2026-11-24 but those of meaning. Never change it; add a newer one beside it."""


def test_the_rules_of_an_earlier_day_are_read_as_they_were_written() -> None:
    with ZipFile(EARLIER) as kept:
        files = {name: kept.read(name).decode() for name in kept.namelist()}
    ruleset = parse_ruleset(files)
    assert len(ruleset.rules) == 122
    assert [template.id for template in ruleset.templates] == ["inbound_100"]
    assert dict(ruleset.files) == files
