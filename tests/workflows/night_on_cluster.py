"""One night with a fake listener on a Ray cluster, in a process of its own; prints how it ended as JSON.

    python night_on_cluster.py FOLDER DATABASE ADDRESS

Without an address a process of this machine hears, as every night at home. `work` are the seconds from the
first call that was kept to the last one.
"""

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from cluster_fakes import listener
from night_help import Notes, tools

from pipeline.errors import CallscoreError
from pipeline.media.places import place
from pipeline.storage.records import ScoredCall
from pipeline.storage.store import Store
from pipeline.workflows.night.cluster.hearing import OnCluster
from pipeline.workflows.night.values import NightPlan
from pipeline.workflows.nightly import run_night


class Clock(Notes):
    """When calls were kept."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def scored(self, call: ScoredCall) -> None:
        self.times.append(time.monotonic())


def main(folder: str, database: str, address: str = "") -> None:
    told: list[str] = []
    watcher = Clock()
    hearing = OnCluster(
        address=address, folder=place(folder), notice=told.append, recipe="cluster_fakes:recipe"
    )
    with Store.open(database) as store:
        ready = replace(tools(store, workers=1), listener=listener)  # type: ignore[arg-type]
        if address:
            ready = replace(ready, hearing=hearing)
        try:
            counts = run_night(NightPlan(folder=place(folder)), ready, watcher).counts()
        except CallscoreError as error:
            print(json.dumps({"error": str(error), "told": told}), flush=True)
            return
    work = watcher.times[-1] - watcher.times[0] if watcher.times else 0.0
    print(json.dumps(counts | {"told": told, "work": work}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
