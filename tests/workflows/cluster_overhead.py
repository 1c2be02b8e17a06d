"""What Ray costs: the same night at home and on a cluster of one node, in turn, without the start.

    python tests/workflows/cluster_overhead.py [--calls 40] [--seconds 1] [--rounds 3]

Each call takes so many seconds, in which nothing is computed: all that is measured is what lies around
recognition.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from cluster_help import NightOnCluster, RayCluster
from night_help import beep


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="ray", dir="/tmp", ignore_cleanup_errors=True) as place:
        folder = Path(place) / "in"
        for number in range(options.calls):
            beep(folder / f"c{number:05}.wav", 300 + number, 1.0)
        cluster = RayCluster(Path(place), options.seconds)
        cluster.add()
        rounds = [_round(folder, cluster, options, number) for number in range(options.rounds)]
        cluster.close()
    for home, ray in rounds:
        print(f"home {home:.2f} s, Ray {ray:.2f} s, {ray / home - 1:+.1%}")
    print(f"median {statistics.median(ray / home - 1 for home, ray in rounds):+.1%}")


def _round(
    folder: Path, cluster: RayCluster, options: argparse.Namespace, number: int
) -> tuple[float, float]:
    """Seconds from the first call that was kept to the last one."""
    work = []
    for name, address in (("home", ""), ("ray", cluster.address)):
        path = folder.parent / f"{name}{number}.db"
        told = NightOnCluster(str(folder), path, address, options.seconds).end(600)
        if told.get("scored") != options.calls:
            raise SystemExit(f"{name}: {told}")
        work.append(told["work"])
    home, ray = work
    return home, ray


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
