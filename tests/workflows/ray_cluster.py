"""A Ray cluster of several nodes on this machine, in a process of its own, told by lines what to do.

    RAY_TMPDIR=FOLDER python ray_cluster.py

Prints the address first; `add N` starts a node of N cores and prints its id, `kill ID` ends one with all its
processes, `head` ends the head. It goes with its input.
"""

import sys
from contextlib import suppress

import psutil
import ray
from ray.cluster_utils import Cluster

HERE = "127.0.0.2"
"""Of this machine, and Ray does not take it for another address of it, as it does 127.0.0.1."""
LEAN = {"node_ip_address": HERE, "include_dashboard": False, "include_log_monitor": False, "no_monitor": True}
"""Without what no night asks for."""


def main() -> None:
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **LEAN})
    print(cluster.address, flush=True)
    nodes: dict[str, ray.node.Node] = {}
    for line in sys.stdin:
        order, _, what = line.strip().partition(" ")
        if order == "add":
            node = cluster.add_node(num_cpus=int(what), **LEAN)
            nodes[node.node_id] = node
            print(node.node_id, flush=True)
        elif order == "kill":
            _kill(cluster, nodes.pop(what))
            print("killed", flush=True)
        elif order == "head":
            cluster.remove_node(cluster.head_node, allow_graceful=False)
            print("killed", flush=True)
    for node in nodes.values():
        node.kill_all_processes(check_alive=False, allow_graceful=False)
    if cluster.head_node:
        cluster.head_node.kill_all_processes(check_alive=False, allow_graceful=False)


def _kill(cluster: Cluster, node: "ray.node.Node") -> None:
    """As when a machine goes: what hears there goes at the same moment, not a little later."""
    (raylet,) = node.all_processes["raylet"]
    workers = psutil.Process(raylet.process.pid).children(recursive=True)
    cluster.remove_node(node, allow_graceful=False)
    for worker in workers:
        with suppress(psutil.NoSuchProcess):
            worker.kill()


if __name__ == "__main__":
    main()
