"""What a report needs beside the store, out of the settings in force."""

from pipeline.media.values import time_zone
from pipeline.settings import Settings
from pipeline.workflows.report.compute import Surroundings
from pipeline.workflows.roster import read_roster
from pipeline.workflows.rules import load_rules


def surroundings(settings: Settings) -> Surroundings:
    """Zone, roster and targets. Raises MetadataError: a faulty roster; RuleError: faulty rules."""
    zone = time_zone(settings.time_zone)
    rates = {template.id: template.target.pass_rate for template in load_rules(settings).templates}
    targets = {name: rate / 100 for name, rate in rates.items() if rate is not None}
    return Surroundings(zone=zone, roster=read_roster(settings.roster, zone), targets=targets)
