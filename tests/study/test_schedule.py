"""The schedule: the same everywhere for a seed, balanced, and blind."""

from collections import Counter
from itertools import pairwise

import pytest

from synthview.errors import StudyError
from synthview.study.protocol import Protocol
from synthview.study.schedule import draw_schedule
from synthview.study.schedule_draws import Draws
from synthview.study.trial import Material, Role, StimulusId, Trial, Truth
from tests.study.small_study import PUBLISHED

GOLDEN = "52ff04df7ed1e29ee34d629d2ae7cde4b3fa7f0ea650c9e371529d4982282f6b"
"""SHA-256 of the published study's schedule with seed 20240501 and stimuli named by arm and number."""


def drawn(text: str, seed: int = 20240501) -> dict[str, list[tuple[Trial, Truth]]]:
    protocol = Protocol.parse(text)
    schedule, truths = draw_schedule(protocol, materials(protocol), seed)
    return {reader: list(zip(trials, truths[reader], strict=True)) for reader, trials in schedule.trials.items()}


def materials(protocol: Protocol) -> list[Material]:
    return [
        Material(StimulusId(f"{arm}{number:03d}"), arm, {}, "0" * 64)
        for arm, count in protocol.volumes_needed().items()
        for number in range(count)
    ]


def usual(session: list[tuple[Trial, Truth]]) -> list[tuple[Trial, Truth]]:
    return [(trial, truth) for trial, truth in session if truth.role is Role.TEST]


def study_with(section: str, readers: int = 12) -> str:
    arms = {"real": "2afc-synthetic" not in section, "zebragan": True, "quaggaldm": "zebragan: 1}" not in section}
    used = "".join(f"  {name}: {{folder: x}}\n" for name, is_used in arms.items() if is_used)
    return f"title: T\nreaders: {readers}\narms:\n{used}sections:\n  - {{title: One, {section}}}\n"


def test_a_seed_gives_the_same_schedule_on_every_machine_and_another_seed_another() -> None:
    protocol = Protocol.parse(PUBLISHED)
    stimuli = materials(protocol)
    assert draw_schedule(protocol, stimuli, 20240501)[0].digest() == GOLDEN
    assert draw_schedule(protocol, stimuli, 20240502)[0].digest() != GOLDEN


def test_draws_are_the_same_on_every_machine() -> None:
    draws = Draws(7, "a", 1)
    assert [draws.below(10) for _ in range(12)] == [4, 4, 3, 5, 8, 4, 7, 2, 2, 7, 6, 7]
    assert round(draws.fraction(), 12) == 0.660761160739
    assert draws.shuffled("abcdefgh") == list("baefhdgc")


def test_draws_are_even() -> None:
    draws = Draws(1)
    counts = Counter(draws.below(6) for _ in range(12_000))
    assert sum((count - 2000) ** 2 / 2000 for count in counts.values()) < 20.5  # χ², 5 degrees of freedom, p = 0.001
    firsts = Counter(draws.shuffled("abcd")[0] for _ in range(4000))
    assert sum((count - 1000) ** 2 / 1000 for count in firsts.values()) < 16.3  # 3 degrees of freedom


def test_sides_are_balanced_for_every_reader_pair_of_arms_and_arm() -> None:
    sides_of_pair: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for session in drawn(PUBLISHED).values():
        balance: Counter[tuple[str, ...]] = Counter()
        of_arm: Counter[str] = Counter()
        for _, truth in usual(session):
            sign = 1 if truth.arms[0] == min(truth.arms) else -1
            balance[tuple(sorted(truth.arms))] += sign
            of_arm[truth.arms[0]] += 1
            of_arm[truth.arms[1]] -= 1
            sides_of_pair[truth.item] += sign
            seen[truth.item] += 1
        assert max(map(abs, balance.values())) <= 1
        assert max(map(abs, of_arm.values())) <= 1
    assert set(seen.values()) == {12}
    assert max(map(abs, sides_of_pair.values())) <= 1


def test_every_reader_has_an_order_and_sides_of_their_own() -> None:
    sessions = drawn(PUBLISHED)
    orders = {tuple(truth.item for _, truth in session) for session in sessions.values()}
    assert len(orders) == 12
    for session in sessions.values():  # sections stay in order, items within are mixed
        assert [trial.section for trial, _ in session] == [0] * 10 + [1] * 30
        assert [truth.item for _, truth in session[:10]] != sorted(truth.item for _, truth in session[:10])


def test_the_right_answer_is_left_as_often_as_right_and_follows_no_pattern() -> None:
    right = [truth.correct for session in drawn(PUBLISHED).values() for _, truth in session[:10]]
    assert abs(right.count("left") - right.count("right")) <= 12
    changes = sum(one != other for one, other in pairwise(right))
    assert 35 < changes < 85  # of 119; 59.5 is chance, 119 would be alternation


def test_no_real_volume_is_shown_twice_beside_synthetic_ones() -> None:
    for session in drawn(PUBLISHED).values():
        shown = Counter(name for trial, _ in session[:10] for name in trial.stimuli)
        assert set(shown.values()) == {1}


def test_slice_positions_are_spread_over_the_range_and_differ_between_readers() -> None:
    at: dict[str, set[int]] = {}
    for session in drawn(PUBLISHED).values():
        second = [(trial.position, truth.item) for trial, truth in session if trial.section == 1]
        parts = [int(round((position - 0.3) / 0.4 * 30, 6)) for position, _ in second]
        assert sorted(parts) == list(range(30))  # one in each thirtieth
        for part, (_, item) in zip(parts, second, strict=True):
            at.setdefault(item, set()).add(part)
    assert {len(parts) for parts in at.values()} == {12}  # a Latin square: no reader repeats another's part for an item
    planes = [Counter(trial.plane for trial, _ in session[10:]) for session in drawn(PUBLISHED).values()]
    assert all(set(counts.values()) == {10} for counts in planes)


@pytest.mark.parametrize(
    ("section", "items", "per_reader"),
    [
        ("kind: 2afc-synthetic, pairs: 20, per_reader: 7", 20, 7),
        ("kind: 2afc-real, pairs: 10, per_reader: 9", 20, 9),
        ("kind: turing, volumes: {real: 20, zebragan: 15, quaggaldm: 15}, per_reader: 13", 50, 13),
        ("kind: turing, volumes: {real: 3, zebragan: 1}, per_reader: 3", 4, 3),
    ],
)
def test_where_not_everybody_sees_everything_items_are_seen_equally_often(
    section: str, items: int, per_reader: int
) -> None:
    seen: dict[tuple[str, ...], Counter[str]] = {}
    arms: Counter[tuple[str, ...]] = Counter()
    for session in drawn(study_with(section, readers=17)).values():
        assert len(session) == len({truth.item for _, truth in session}) == per_reader
        for _, truth in session:
            stratum = tuple(sorted(truth.arms))
            seen.setdefault(stratum, Counter())[truth.item] += 1
            arms[stratum] += 1
    counts = list(seen.values())
    assert sum(len(counter) for counter in counts) == items
    for counter in counts:
        assert max(counter.values()) - min(counter.values()) <= 1
    share = {stratum: len(counter) / items * 17 * per_reader for stratum, counter in seen.items()}
    assert all(abs(arms[stratum] - expected) <= 1 for stratum, expected in share.items())


def test_practice_checks_and_repeats_stand_where_they_should() -> None:
    text = study_with("kind: 2afc-real, pairs: 10, practice: 3, repeats: 4, attention: {arm: blurred, count: 2}")
    text = text.replace("sections:", "  blurred: {folder: x}\nsections:")
    for session in drawn(text).values():
        roles = [truth.role for _, truth in session]
        assert roles[:3] == [Role.PRACTICE] * 3
        assert Counter(roles) == {Role.TEST: 20, Role.PRACTICE: 3, Role.REPEAT: 4, Role.ATTENTION: 2}
        assert [trial.practice for trial, _ in session] == [role is Role.PRACTICE for role in roles]
        practised = {name for trial, _ in session[:3] for name in trial.stimuli}
        assert not practised & {name for trial, _ in session[3:] for name in trial.stimuli}
        for trial, truth in session:
            if truth.role is Role.REPEAT:
                first, first_truth = session[truth.repeats - 1]
                assert trial.number - first.number >= 5
                assert trial.stimuli == first.stimuli[::-1]
                assert truth.item == first_truth.item and {truth.correct, first_truth.correct} == {"left", "right"}
            if truth.role is Role.ATTENTION:
                assert truth.arms[["left", "right"].index(truth.correct)] == "real"


def test_sections_rotate_where_the_protocol_says() -> None:
    text = PUBLISHED.replace("seed: 2024", "section_order: rotated\nseed: 2024")
    firsts = [session[0][0].section for session in drawn(text).values()]
    assert firsts == [0, 1] * 6


def test_truths_are_true() -> None:
    text = study_with("kind: turing, volumes: {real: 4, zebragan: 3, quaggaldm: 3}")
    for session in drawn(text).values():
        for trial, truth in session:
            assert trial.stimuli[0].startswith(truth.arms[0])
            assert truth.correct == ("real" if truth.arms == ("real",) else "synthetic")
    for session in drawn(PUBLISHED).values():
        for trial, truth in session:
            assert [name[:-3] for name in trial.stimuli] == list(truth.arms)
            side = {"left": 0, "right": 1}.get(truth.correct)
            assert (side is None) == (trial.section == 1)
            assert side is None or truth.arms[side] == "real"


def test_an_arm_with_too_few_volumes_is_named() -> None:
    protocol = Protocol.parse(PUBLISHED)
    with pytest.raises(StudyError, match="arm zebragan has 34 volumes and the protocol needs 35"):
        draw_schedule(protocol, [m for m in materials(protocol) if m.stimulus != "zebragan007"], 1)


def test_a_trial_says_nothing_of_the_truth() -> None:
    fields = set(Trial.__dataclass_fields__)
    assert fields == {"number", "section", "stimuli", "plane", "position", "practice"}
    assert not fields & set(Truth.__dataclass_fields__)
