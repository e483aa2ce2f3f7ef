"""Asking the servers: the plan's topics turned into samples.

Decides the order of segments (in turns, begun by another server in each cycle) and which values a
sample holds; what is asked is the plan's business.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace

from benchmarks import plan
from benchmarks.fleet import Member, Workshop, fleet, subscribed, warm
from benchmarks.peers import FAN_OUT, PROXY, Peer
from benchmarks.plan import Effort, Topic
from benchmarks.samples import Sample
from benchmarks.subscribers import Mode, Outcome, Segment, Subscribers

CLIENTS = 1_000
OWN_STREAMS = 100
IDLE_CLIENTS = 5_000
SCALES = (1_000, 10_000)
BRIDGE = "bridge"
_WARM_CLIENTS = 20
_QUIET = 0.5
_SPARE_DESCRIPTORS = 200

Stage = Callable[[Workshop, Effort, Collection[str]], Iterator[Sample]]


def values(outcome: Outcome, cpu: float) -> dict[str, float]:
    """What a sample holds of a segment."""
    used = {"cpu_us": cpu / max(outcome.received, 1) * 1e6} if cpu else {}
    return used | {
        "rate": outcome.received / outcome.elapsed if outcome.elapsed > 0 else 0.0,
        "p50_ms": outcome.p50,
        "p99_ms": outcome.p99,
        "missing": outcome.missing,
        "dropped": outcome.dropped,
    }


def fan_out(mode: Mode) -> Stage:
    """One channel, 1,000 clients."""

    def stage(workshop: Workshop, effort: Effort, names: Collection[str]) -> Iterator[Sample]:
        topics = [topic for topic in plan.fan_out(mode, effort) if topic.name in names]
        yield from _in_turns(FAN_OUT, mode, CLIENTS, topics, workshop, effort)

    return stage


def proxy(mode: Mode) -> Stage:
    """A stream of its own for each of 100 clients."""

    def stage(workshop: Workshop, effort: Effort, names: Collection[str]) -> Iterator[Sample]:
        topics = [topic for topic in plan.proxy(mode, effort) if topic.name in names]
        found = list(_in_turns(PROXY, mode, OWN_STREAMS, topics, workshop, effort))
        direct = {s.cycle: s.values["p99_ms"] for s in found if s.peer == "direct"}
        for sample in found:
            late = sample.topic.endswith("paced") and sample.peer != "direct"
            if late and sample.cycle in direct:
                added = {"added_p99_ms": sample.values["p99_ms"] - direct[sample.cycle]}
                yield replace(sample, values={**sample.values, **added})
            else:
                yield sample

    return stage


def _in_turns(
    peers: Sequence[Peer],
    mode: Mode,
    clients: int,
    topics: Sequence[Topic],
    workshop: Workshop,
    effort: Effort,
) -> Iterator[Sample]:
    if not topics:
        return
    asked = {name for topic in topics for name in topic.peers}
    with ExitStack() as stack:
        members = stack.enter_context(
            fleet([peer for peer in peers if peer.name in asked], mode, workshop)
        )
        crowds: dict[str, tuple[Member, Subscribers]] = {}
        for member in members:
            try:
                crowd = stack.enter_context(subscribed(member, clients))
                crowds[member.peer.name] = member, crowd
            except ConnectionError as error:
                workshop.leave_out(member.peer.name, str(error))
        warm(subscribers for _, subscribers in crowds.values())
        for cycle in range(effort.cycles):
            for topic in topics:
                yield from _ask(topic, crowds, cycle)
            workshop.say(f"{mode}, {clients:,} clients: cycle {cycle + 1} of {effort.cycles}")


def _ask(
    topic: Topic, crowds: Mapping[str, tuple[Member, Subscribers]], cycle: int
) -> Iterator[Sample]:
    present = [name for name in topic.peers if name in crowds]
    first = cycle % len(present) if present else 0
    for name in present[first:] + present[:first]:
        member, subscribers = crowds[name]
        yield Sample(topic.name, name, cycle, values(*member.measure(subscribers, topic.segment)))


def memory(mode: Mode) -> Stage:
    """5,000 idle clients: what each holds in memory, and what it costs to let it in."""

    def stage(workshop: Workshop, effort: Effort, names: Collection[str]) -> Iterator[Sample]:
        topic = f"{mode}-memory"
        asked = plan.MEMORY[effort.quick]
        peers = [peer for peer in FAN_OUT if peer.name in asked and mode in peer.modes]
        for cycle in range(effort.fresh if topic in names else 0):
            for peer in peers:
                with fleet([peer], mode, workshop) as members:
                    for member in members:
                        yield Sample(topic, peer.name, cycle, _idle_cost(member))
            workshop.say(f"{mode}, memory: {cycle + 1} of {effort.fresh}")

    return stage


def _idle_cost(member: Member) -> dict[str, float]:
    with subscribed(member, _WARM_CLIENTS) as few:
        warm([few])
    time.sleep(_QUIET)
    memory_before, cpu_before = member.running.resident_kib(), member.running.cpu_seconds()
    subscribers = member.connect(IDLE_CLIENTS)
    try:
        time.sleep(_QUIET)
        used = member.running.cpu_seconds() - cpu_before
        held = member.running.resident_kib() - memory_before
        ready = max(subscribers.ready, 1)
        failed = float(subscribers.failed)
        return {"kib": held / ready, "opened": ready / used, "failed": failed}
    finally:
        subscribers.close()


def scale(workshop: Workshop, effort: Effort, names: Collection[str]) -> Iterator[Sample]:
    """The bridge with 1,000 clients, and with 10,000; the limit tells what is the kernel's part."""
    if "sse-scale" not in names:
        return
    peers = [peer for peer in FAN_OUT if peer.name in plan.SCALE]
    segment = Segment("single", effort.seconds)
    with ExitStack() as stack:
        crowds: list[tuple[int, Member, Subscribers]] = []
        for clients in SCALES:
            for member in stack.enter_context(fleet(peers, "sse", workshop)):
                crowd = stack.enter_context(subscribed(member, clients))
                crowds.append((clients, member, crowd))
        warm(crowd for _, _, crowd in crowds)
        for cycle in range(effort.cycles):
            for clients, member, crowd in crowds:
                found = values(*member.measure(crowd, segment))
                yield Sample(f"sse-{clients}", member.peer.name, cycle, found)
    workshop.say("scale: done")


def idle(clients: int) -> Stage:
    """Many clients and one event a second: nobody may be dropped."""

    def stage(workshop: Workshop, effort: Effort, names: Collection[str]) -> Iterator[Sample]:
        topic = f"sse-idle{clients}"
        if topic not in names:
            return
        if workshop.descriptors < clients + _SPARE_DESCRIPTORS:
            limit = f"only {workshop.descriptors:,} files may be open here"
            workshop.leave_out(f"{clients:,} idle clients", limit)
            return
        bridge = [peer for peer in FAN_OUT if peer.name == BRIDGE]
        with fleet(bridge, "sse", workshop) as members:
            for member in members:
                yield Sample(topic, BRIDGE, 0, _stay(member, clients, effort.idle))
        workshop.say(f"{clients:,} idle clients: done")

    return stage


def _stay(member: Member, clients: int, seconds: float) -> dict[str, float]:
    with subscribed(member, clients) as subscribers:
        warm([subscribers])
        outcome, cpu = member.measure(subscribers, Segment("idle", seconds, rate=1))
        found = values(outcome, cpu)
        return {**found, "dropped": clients - outcome.clients + outcome.dropped}


STAGES: Mapping[str, Stage] = {
    "fan-out over SSE": fan_out("sse"),
    "fan-out over WS": fan_out("ws"),
    "memory over SSE": memory("sse"),
    "memory over WS": memory("ws"),
    "10,000 clients": scale,
    "15,000 idle clients": idle(15_000),
    "50,000 idle clients": idle(50_000),
    "own streams over SSE": proxy("sse"),
    "own streams over WS": proxy("ws"),
}
