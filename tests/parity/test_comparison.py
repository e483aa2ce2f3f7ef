"""The comparison as a whole: what holds for any streams, and each fault by its name."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.parity.comparison import Comparison
from bridge.parity.finding import Kind
from bridge.parity.noise import Noise
from bridge.parity.observation import Mark, Observation, Side, Sight, Turn
from bridge.parity.options import CompareOptions
from bridge.parity.report import Outcome, Report
from tests.parity.talk import CHANNEL, both, kinds, new, old, report, task, turn

TEXTS = st.lists(st.sampled_from(("tick", task("a"), task("a", n=1), task("b"), "7")), max_size=40)
COMMON = [task(f"t{n % 7}", n=n, text=f"say {n}") for n in range(30)]
"""What both sides say around a fault, a message a second."""


def altogether(sights: Iterable[Sight], options: CompareOptions | None = None) -> Comparison:
    made = Comparison(options or CompareOptions(min_messages=1))
    for sight in sights:
        made.take(sight)
    made.close()
    return made


def interleavings(texts: Sequence[str]) -> st.SearchStrategy[list[Sight]]:
    """Both sides say the same in the same order, each message at any time within the window."""

    def timed(lags: list[float]) -> list[Sight]:
        left = [old(text, place * 1.0) for place, text in enumerate(texts)]
        at, right = 0.0, []
        for place, text in enumerate(texts):
            at = max(at, place + lags[place])
            right.append(new(text, at))
        sights: list[Sight] = [*left, *right]
        return sorted(sights, key=lambda sight: sight.at)

    lag = st.floats(-4, 9)
    return st.lists(lag, min_size=len(texts), max_size=len(texts)).map(timed)


@given(TEXTS.flatmap(interleavings))
def test_a_stream_equals_itself_however_it_interleaves_within_the_window(
    sights: list[Sight],
) -> None:
    made = altogether(sights)
    found = made.report()
    assert found.findings == ()
    assert found.verdict.evidence.failed == 0
    assert made.statistics().same * 2 + made.statistics().outside == len(sights)


@given(TEXTS, st.integers(1, 5))
def test_channels_do_not_mix(texts: list[str], channels: int) -> None:
    sights = [
        Observation(seen.side, f"c{n}", seen.data, seen.at)
        for seen in both(texts)
        for n in range(channels)
        if isinstance(seen, Observation)
    ]
    found = report(sights)
    assert found.findings == ()
    assert found.verdict.evidence.matched == len(texts) * channels


def changed(place: int, **body: object) -> list[Sight]:
    """The common stream, with another body at one place of the candidate's."""
    sights = both(COMMON)
    tree = json.loads(COMMON[place])
    tree["object"] |= body
    sights[2 * place + 1] = new(json.dumps(tree, separators=(",", ":")), place + 0.02)
    return sights


def without(side: Side, place: int) -> list[Sight]:
    return [each for each in both(COMMON) if each.side is not side or int(each.at) != place]


def delayed(place: int, seconds: float) -> list[Sight]:
    sights = both(COMMON)
    sights[2 * place + 1] = new(COMMON[place], place + 0.02 + seconds)
    return sights


def spelled(place: int, written: str, event: str = "message") -> list[Sight]:
    sights = both(COMMON)
    sights[2 * place + 1] = new(written, place + 0.02, type=event)
    return sights


BODY = json.dumps(json.loads(COMMON[12])["object"], separators=(",", ":"))
FAULTS: dict[str, tuple[Kind, list[Sight]]] = {
    "a message is lost": (Kind.MISSING, without(Side.CANDIDATE, 12)),
    "a message is new": (Kind.EXTRA, without(Side.LEGACY, 12)),
    "a number changed": (Kind.ALTERED, changed(12, n=999)),
    "a number became a text": (Kind.TYPE_DRIFT, changed(12, n="12")),
    "a member is more": (Kind.TYPE_DRIFT, changed(12, more=1)),
    "a message came seconds later": (Kind.REORDERED, delayed(12, 5.5)),
    "one entity's messages crossed": (Kind.REORDERED, delayed(12, 7.5)),
    "a message is said twice": (Kind.DUPLICATED, [*both(COMMON), new(COMMON[12], 12.5)]),
    "a message came after the window": (Kind.LATE, delayed(12, 14.0)),
    "white space": (Kind.ENCODING, spelled(12, json.dumps(json.loads(COMMON[12])))),
    "another envelope": (Kind.ENVELOPE, spelled(12, BODY, "task")),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("clocks", ["one", "two"])
def test_a_single_fault_is_named_by_its_kind_alone(name: str, clocks: str) -> None:
    kind, sights = FAULTS[name]
    found = report(sights, CompareOptions(min_messages=1, clocks=clocks))  # type: ignore[arg-type]
    assert kinds(found) == {kind: 1}
    assert found.verdict.outcome is Outcome.FAIL
    assert found.verdict.evidence.failed == 1
    example = found.findings[0].example
    shown = example.legacy or example.candidate
    assert shown is not None
    assert shown.channel == CHANNEL


def test_states_that_were_skipped_are_coalesced() -> None:
    sights = both(COMMON)
    sights += [old(task("t5", n=n, text="say 12"), 11.5 + n * 0.1) for n in (1, 2)]
    assert kinds(report(sights)) == {Kind.COALESCED: 2}


def test_a_place_is_named_with_both_values() -> None:
    found = report(changed(12, text="else")).findings[0]
    assert (found.path, found.message) == ("$.object.text", "task")
    assert (found.legacy, found.candidate) == ('"say 12"', '"else"')
    assert (found.count, found.first, found.last) == (1, 12.0, 12.0)


def seen(letters: str, said: str = "legacy", **at: float) -> list[Sight]:
    """Short tasks of one side, a second each."""
    make = old if said == "legacy" else new
    return [make(task(name), place + at.get("later", 0.0)) for place, name in enumerate(letters)]


def test_a_repeat_after_a_reconnect_hides_no_loss_beside_it() -> None:
    candidate: list[Sight] = [
        new(task("a"), 0.1),
        turn(Side.CANDIDATE, 0.5, Turn.LOST),
        turn(Side.CANDIDATE, 0.6, Turn.OPENED, 1),
        new(task("a"), 0.7, connection=1),
        new(task("d"), 2.1, connection=1),
    ]
    assert kinds(report([*seen("abd"), *candidate])) == {Kind.MISSING: 1}


def test_a_duplicate_hides_no_loss_beside_it() -> None:
    times = (0.1, 2.1, 2.2, 3.1)
    candidate = [new(task(name), at) for name, at in zip("addf", times, strict=True)]
    found = report([*seen("abdf"), *candidate])
    assert kinds(found) == {Kind.MISSING: 1, Kind.DUPLICATED: 1}


def test_a_repeated_state_hides_no_loss_of_another_one() -> None:
    sights = without(Side.CANDIDATE, 19)
    again = new(COMMON[12], 19.02)
    assert kinds(report([*sights, again])) == {Kind.MISSING: 1, Kind.DUPLICATED: 1}


def test_a_loss_and_something_new_about_another_entity_are_two_findings() -> None:
    candidate = [new(task(name), place + 0.1) for place, name in enumerate("axd")]
    assert kinds(report([*seen("abd"), *candidate])) == {Kind.MISSING: 1, Kind.EXTRA: 1}


def test_where_ids_are_ignored_they_part_nobody() -> None:
    options = CompareOptions(min_messages=1, ignore=("$.object.id",))
    candidate = [new(task(name), place + 0.1) for place, name in enumerate("axd")]
    found = report([*seen("abd"), *candidate], options)
    assert kinds(found) == {}
    assert found.verdict.outcome is Outcome.PASS


def test_a_late_twin_revises_what_a_report_said_before() -> None:
    made = Comparison(CompareOptions(min_messages=1))
    for sight in delayed(5, 20.0)[: 2 * 5 + 1]:
        made.take(sight)
    for sight in both(COMMON[6:20], start=6.0):
        made.take(sight)
    made.advance(19.5)
    assert kinds(made.report()) == {Kind.MISSING: 1}
    made.take(new(COMMON[5], 25.0))
    for sight in both(COMMON[26:], start=26.0):
        made.take(sight)
    made.close()
    assert kinds(made.report()) == {Kind.LATE: 1}


@pytest.mark.parametrize("side", [Side.LEGACY, Side.CANDIDATE])
def test_what_lies_beyond_the_common_part_is_outside_and_no_fault(side: Side) -> None:
    inner = [each for each in both(COMMON) if each.side is side or 10 <= each.at < 20]
    found = report(inner, CompareOptions(min_messages=1, max_silence=1.0))
    assert found.findings == ()
    assert (found.verdict.evidence.matched, found.verdict.evidence.outside) == (10, 20)
    assert found.verdict.outcome is Outcome.PASS


def test_a_side_that_fell_silent_proves_nothing() -> None:
    found = report([each for each in both(COMMON) if each.side is Side.LEGACY or each.at < 10])
    assert found.verdict.outcome is Outcome.INSUFFICIENT
    assert "fell silent" in found.verdict.reason


def test_losses_around_a_torn_connection_name_it_and_may_be_excused() -> None:
    marks = [turn(Side.CANDIDATE, 11.5, Turn.LOST, 0, "reset by peer")]
    marks.append(turn(Side.CANDIDATE, 12.5, Turn.OPENED, 1))
    sights = [*without(Side.CANDIDATE, 12), *marks]
    found = report(sights)
    assert (kinds(found), found.findings[0].reason) == ({Kind.MISSING: 1}, "reset by peer")
    excused = report(sights, CompareOptions(min_messages=1, excuse_holes=True))
    assert excused.verdict.outcome is Outcome.PASS
    assert excused.findings[0].excused == "in a hole: reset by peer"


def test_what_the_legacy_side_could_not_say_proves_nothing_against_the_candidate() -> None:
    sights = [*without(Side.LEGACY, 12), turn(Side.LEGACY, 12.5, Turn.GAP, 0, "dropped 1")]
    assert report(sights).verdict.outcome is Outcome.PASS


def stamped(number: int, chance: Random) -> str:
    url = f"https://cdn.example/{number}.webp?sig={chance.getrandbits(64):016x}"
    return task(f"f{number % 9}", n=number, text=f"say {number}", url=url)


def taps(count: int, chance: Random) -> list[Sight]:
    """Three taps that differ in their signed addresses alone."""
    return [
        Observation(side, CHANNEL, stamped(number, chance), number * 0.1 + place * 0.01)
        for number in range(count)
        for place, side in enumerate((Side.LEGACY, Side.CONTROL, Side.CANDIDATE))
    ]


def test_what_two_legacy_taps_show_is_noise_and_can_be_used_again() -> None:
    made = altogether(taps(300, Random(1)), CompareOptions())
    found = made.report()
    assert found.verdict.outcome is Outcome.PASS
    assert [(each.kind, each.path) for each in found.findings] == [(Kind.ALTERED, "$.object.url")]
    assert (found.findings[0].excused or "").startswith("as often as between two legacy taps")
    learned = Noise.from_json(made.learned().to_json())
    again = Comparison(CompareOptions(), learned)
    for sight in taps(300, Random(2)):
        if sight.side is not Side.CONTROL:
            again.take(sight)
    again.close()
    assert again.report().verdict.outcome is Outcome.PASS


def test_without_noise_the_same_difference_fails() -> None:
    sights = [each for each in taps(300, Random(1)) if each.side is not Side.CONTROL]
    assert report(sights).verdict.outcome is Outcome.FAIL


def test_rubbish_at_a_noisy_place_is_found() -> None:
    sights = taps(300, Random(1))
    bad = task("f2", n=200, text="say 200", url="rubbish")
    sights[200 * 3 + 2] = Observation(Side.CANDIDATE, CHANNEL, bad, 20.02)
    found = report(sights, CompareOptions())
    assert kinds(found) == {Kind.ALTERED: 1}
    assert found.findings[0].candidate == '"rubbish"'


def test_marks_of_every_side_are_taken() -> None:
    made = Comparison()
    for side in Side:
        made.take(turn(side, 1.0, Turn.OPENED))
    made.close()
    assert made.report().verdict.outcome is Outcome.INSUFFICIENT
    assert made.statistics().elapsed == 0


def test_memory_is_bounded_by_rate_times_window() -> None:
    made, options = Comparison(), CompareOptions()
    most = 0
    for n in range(30_000):
        made.take(old(task(n), n * 0.01))
        if n % 2:
            made.take(new(task(n), n * 0.01 + 0.005))
        if n % 1000 == 0:
            lanes = [lane for join in made._candidate.joins.values() for lane in join.lanes]
            most = max(most, sum(len(lane.items) - lane.head for lane in lanes))
            most = max(most, *(len(lane.singles) for lane in lanes))
    keep = options.window * 2 + options.disorder * 2 + options.recall + 10
    assert most <= keep * 100 * 2


def test_counts_for_a_live_table() -> None:
    found = altogether(without(Side.CANDIDATE, 12)).statistics()
    assert (found.legacy, found.candidate, found.control) == (30, 29, 0)
    assert (found.pairs, found.same, found.waiting) == (29, 29, 0)
    assert (found.outside, found.repeated, found.kinds) == (0, 0, {Kind.MISSING: 1})
    assert found.lag.count == 29
    assert found.elapsed == pytest.approx(29.02)


def test_without_a_second_tap_nothing_waits_for_one() -> None:
    opened = [turn(side, 0.0, Turn.OPENED) for side in (Side.LEGACY, Side.CANDIDATE)]
    made = altogether([*opened, *both(COMMON)])
    assert made.learned() == Noise()
    assert made._control is None


def test_a_second_tap_that_opens_later_knows_of_the_first_ones_connection() -> None:
    made = altogether([turn(Side.LEGACY, 0.0, Turn.OPENED), turn(Side.CONTROL, 1.0, Turn.OPENED)])
    assert made._control is not None
    assert [lane.began for lane in made._control.join(CHANNEL).lanes] == [0.0, 1.0]


def test_a_second_tap_that_lags_is_no_noise() -> None:
    """Its first word comes when the first tap has said more: nothing differs by nature."""
    texts = [task("t", n=number) for number in range(200)]
    told = list(texts)
    told[50], told[51] = told[51], told[50]
    sights = [old(text, number * 0.1) for number, text in enumerate(texts)]
    sights += [new(text, number * 0.1 + 0.01) for number, text in enumerate(told)]
    sights += [
        Observation(Side.CONTROL, CHANNEL, text, number * 0.1 + 0.25)
        for number, text in enumerate(texts)
    ]
    found = report(sorted(sights, key=lambda sight: sight.at), CompareOptions(min_messages=1))
    assert found.verdict.outcome is Outcome.FAIL
    assert [(each.kind, each.excused) for each in found.findings] == [(Kind.REORDERED, None)]


@pytest.mark.parametrize("late", [Side.LEGACY, Side.CANDIDATE, Side.CONTROL])
@pytest.mark.parametrize("burst", [1, 12])
@pytest.mark.parametrize("noisy", [False, True])
def test_a_tap_that_missed_the_first_words_of_a_busy_entity_shifts_nothing(
    late: Side, burst: int, noisy: bool
) -> None:
    """Each message tells the next state of one entity, and may be stamped as it is sent."""
    sights: list[Sight] = []
    for number in range(600):
        start = number // burst * burst / 100
        for place, side in enumerate(Side):
            at = start + place * 0.001 + number % burst * 1e-5
            sent = {"at": f"{place}:{number}"} if noisy else {}
            text = task("t", n=number, note=f"step {number}", more="same", most="same", **sent)
            if side is not late or number >= 30:
                sights.append(Observation(side, CHANNEL, text, at))
    found = report(sights, CompareOptions(window=3))
    assert (found.verdict.outcome, kinds(found)) == (Outcome.PASS, {})
    assert found.verdict.evidence.matched == (600 if late is Side.CONTROL else 570)


def test_unreadable_lines_are_evidence_too() -> None:
    made = altogether(both(COMMON))
    made.unread(3)
    assert made.report().verdict.evidence.unreadable == 3


def test_a_timeline_holds_every_pair_and_each_difference() -> None:
    found = report(changed(12, n=999))
    assert sum(each.matched for each in found.timeline) == len(COMMON) - 1
    assert sum(sum(each.differences.values()) for each in found.timeline) == 1
    assert [each.at for each in found.timeline] == sorted(each.at for each in found.timeline)


def test_a_pair_that_is_excused_counts_as_the_same_over_time() -> None:
    options = CompareOptions(min_messages=1, ignore=("$.object.at",))
    sights = [
        said(task(f"t{place}", at=f"{said.__name__} {place}"), place)
        for place in range(20)
        for said in (old, new)
    ]
    found = report(sights, options)
    assert sum(each.matched for each in found.timeline) == found.verdict.evidence.matched == 20


def test_two_clocks_are_noted_with_their_interval() -> None:
    sights = [*(old(text, n * 1.0) for n, text in enumerate(COMMON))]
    sights += [new(text, n + 3.5) for n, text in enumerate(COMMON)]
    found = report(sights, CompareOptions(min_messages=1, clocks="two"))
    assert found.verdict.outcome is Outcome.PASS
    assert found.notes[0].startswith("the candidate's clock is +3.500 s off")
    assert found.lag.p50 == pytest.approx(0, abs=1e-6)


def test_a_report_names_channels_and_its_duration() -> None:
    found: Report = report(both(COMMON))
    assert found.channels == (CHANNEL,)
    assert found.duration == pytest.approx(29.02)


@settings(max_examples=30)
@given(TEXTS, TEXTS, st.randoms(use_true_random=False))
def test_every_message_is_accounted_for_whatever_is_said(
    left: list[str], right: list[str], chance: Random
) -> None:
    sights: list[Sight] = [old(text, chance.uniform(0, 60)) for text in left]
    sights += [new(text, chance.uniform(0, 60)) for text in right]
    made = altogether(sorted(sights, key=lambda each: each.at))
    evidence, found = made.report().verdict.evidence, made.statistics()
    singles = sum(
        found.kinds.get(kind, 0)
        for kind in (Kind.MISSING, Kind.EXTRA, Kind.DUPLICATED, Kind.COALESCED)
    )
    assert 2 * found.pairs + singles + evidence.outside + found.repeated == len(sights)


def stray(ends: Iterable[Mark] = ()) -> dict[Kind, int]:
    """What counts against a candidate that says four messages more, a second before the end."""
    sights = both((task(n) for n in range(200)), step=0.01)
    more = (new(task(f"more {n}"), 1.0 + n / 100) for n in range(4))
    return kinds(report([*sights, *more, *ends]))


def test_what_was_said_before_a_connection_was_lost_does_not_lie_in_the_hole() -> None:
    ends = [turn(Side.LEGACY, 2.0, Turn.LOST), turn(Side.CANDIDATE, 2.03, Turn.LOST)]
    assert stray() == stray(ends) == {Kind.EXTRA: 4}


def test_a_lost_connection_is_the_reason_for_nothing_that_came_before() -> None:
    sights = both((task("a", n=n) for n in range(200)), step=0.01)
    lost = new(task("a", n=100), 1.02)
    assert lost in sights
    sights.remove(lost)
    found = report([*sights, turn(Side.CANDIDATE, 2.03, Turn.LOST, reason="ended")])
    assert [(each.kind, each.reason) for each in found.findings] == [(Kind.COALESCED, "")]


def signed(number: int, form: str, draw: Random) -> str:
    return task(f"t{number}", url=form.format(number % 9, f"{draw.getrandbits(64):016x}"))


@pytest.mark.parametrize(
    ("legacy", "candidate", "outcome"),
    [
        ("https://h/{}?s={}", "https://h/{}?s={}", Outcome.PASS),
        ("https://h/{}?s={}", "https://h/99?s={1}", Outcome.FAIL),
        ("https://h/{}/{}", "https://h/{}/{}", Outcome.PASS),
        ("https://h/{}/{}", "https://h/99/{1}", Outcome.FAIL),
    ],
)
def test_a_signed_address_may_not_name_another_resource(
    legacy: str, candidate: str, outcome: Outcome
) -> None:
    draw = Random(7)
    made = Comparison()
    for number in range(200):
        at = number * 0.1
        made.take(old(signed(number, legacy, draw), at))
        again = old(signed(number, legacy, draw), at + 0.01)
        made.take(replace(again, side=Side.CONTROL))
        made.take(new(signed(number, candidate, draw), at + 0.02))
    made.close()
    assert made.report().verdict.outcome is outcome


@pytest.mark.parametrize("side", [Side.CANDIDATE, Side.CONTROL])
def test_a_live_side_that_falls_silent_on_an_open_connection_lacks_what_the_other_says(
    side: Side,
) -> None:
    made = Comparison()
    for number in range(400):
        at = number * 0.5
        made.take(old(task(number), at))
        for each in (Side.CANDIDATE, Side.CONTROL):
            if each is not side or number < 370:
                made.take(replace(new(task(number), at), side=each))
        made.advance(at)
    made.advance(250.0)
    made.close()
    found = made.report()
    assert kinds(found) == ({Kind.MISSING: 30} if side is Side.CANDIDATE else {})
    assert not made.learned().leaves


def test_a_recording_that_ends_earlier_is_told_of_and_no_fault() -> None:
    sights = both(task(n) for n in range(200))
    found = report(each for each in sights if each.side is Side.LEGACY or each.at < 185)
    assert (found.verdict.outcome, found.verdict.evidence.outside) == (Outcome.PASS, 15)
    assert "came after the other side's last word" in found.notes[0]
