"""Which recording is in which part: by a hash of the group's name, within bounds, whatever else there is."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tinyedge.data import DataTable, Recordings
from tinyedge.data.contract import class_weights
from tinyedge.data.split import assign_parts
from tinyedge.errors import UsageError
from tinyedge.tables import TableError, read_table


def files(counts: dict[str, int], first: int = 0) -> Recordings:
    """So many files of each class, each a recording of its own."""
    names = sorted(counts)
    sources = [f"{name}/{number}.wav" for name in names for number in range(first, first + counts[name])]
    labels = np.array([names.index(source.split("/")[0]) for source in sources])
    return Recordings({"x": np.arange(len(sources), dtype=np.float32)[:, None]}, sources, labels, tuple(names))


def parts_of(recordings: Recordings, **table: object) -> dict[str, str]:
    chosen = DataTable(source="data", **table)  # type: ignore[arg-type]
    groups = [recordings.group(number) for number in range(recordings.count)]
    return dict(zip(recordings.sources, assign_parts(recordings, chosen, groups), strict=True))


def test_shares_are_about_those_that_were_asked_for() -> None:
    found = parts_of(files({"a": 400, "b": 200}), test=0.25, validation=0.1)
    for name, total in (("a", 400), ("b", 200)):
        counts = Counter(part for source, part in found.items() if source.startswith(name))
        assert abs(counts["test"] / total - 0.25) < 0.06
        assert abs(counts["validation"] / total - 0.1) < 0.05


@pytest.mark.parametrize("total", [2, 3, 4, 5, 7, 10, 20])
def test_small_classes_are_in_every_part_they_can_be_in(total: int) -> None:
    for seed in range(20):
        counts = Counter(parts_of(files({"a": total, "b": total}), seed=seed).values())
        assert counts["test"] >= 2
        assert counts["train"] >= 2
        assert counts["test"] <= max(2, 2 * 1.5 * 0.2 * total)
        if total > 2:
            assert counts["validation"] >= 2


def test_what_is_in_the_test_stays_there_when_files_are_added() -> None:
    few, many = files({"a": 100, "b": 100}), files({"a": 300, "b": 150})
    before, after = parts_of(few), parts_of(many)
    assert all(after[source] == part for source, part in before.items())
    assert parts_of(files({"a": 100, "b": 100, "c": 50})).items() >= before.items()


def test_another_seed_draws_another_test() -> None:
    recordings = files({"a": 50, "b": 50})
    assert parts_of(recordings, seed=1) == parts_of(recordings, seed=1)
    assert parts_of(recordings, seed=1) != parts_of(recordings, seed=2)


def subjects(count: int, classes: tuple[str, ...] = ("a", "b")) -> Recordings:
    pairs = [(f"s{number}", name) for number in range(count) for name in classes]
    labels = np.array([classes.index(name) for _, name in pairs])
    sources = [f"{name}/{who}.wav" for who, name in pairs]
    return Recordings({"x": np.zeros((len(pairs), 1))}, sources, labels, classes, groups=[who for who, _ in pairs])


@pytest.mark.parametrize("count", [2, 3, 6, 10, 40])
def test_subjects_go_as_a_whole(count: int) -> None:
    for seed in range(20):
        recordings = subjects(count)
        found = parts_of(recordings, seed=seed)
        by_subject = {(source.split("/")[1], part) for source, part in found.items()}
        assert len(by_subject) == count
        tested = sum(part == "test" for _, part in by_subject)
        assert max(1, 0.1 * count) <= tested <= max(1, 0.3 * count)
        assert any(part == "train" for _, part in by_subject)


def test_a_list_names_groups_files_folders_and_patterns() -> None:
    found = parts_of(subjects(6), test=("s1", "s[23]"), validation=("a/s4.wav",))
    assert {source for source, part in found.items() if part == "test"} == {
        f"{n}/s{i}.wav" for n in "ab" for i in "123"
    }
    assert {source for source, part in found.items() if part == "validation"} == {"a/s4.wav", "b/s4.wav"}


def test_a_class_of_few_subjects_is_moved_into_the_test() -> None:
    """`rare` is known of two subjects of ten: one of them goes into the test, one stays."""
    pairs = [(f"s{number}", name) for number in range(10) for name in ("a", "b")] + [("s0", "rare"), ("s1", "rare")]
    names = ("a", "b", "rare")
    labels = np.array([names.index(name) for _, name in pairs])
    sources = [f"{name}/{who}.wav" for who, name in pairs]
    recordings = Recordings({"x": np.zeros((22, 1))}, sources, labels, names, groups=[who for who, _ in pairs])
    for seed in range(10):
        try:
            found = parts_of(recordings, seed=seed)
        except UsageError as error:
            assert "class `rare` is missing from the train" in error.what  # noqa: PT017
            continue
        assert {found["rare/s0.wav"], found["rare/s1.wav"]} >= {"train"}


def test_without_validation() -> None:
    assert set(parts_of(files({"a": 20, "b": 20}), validation=0).values()) == {"train", "test"}


def test_numbers_are_classes_too() -> None:
    recordings = Recordings({"x": np.zeros((20, 1))}, [f"d[{i}]" for i in range(20)], np.arange(20) % 2)
    assert recordings.classes == ("0", "1")
    for part in ("train", "test"):
        chosen = [number for number, said in enumerate(parts_of(recordings).values()) if said == part]
        assert {number % 2 for number in chosen} == {0, 1}


def test_targets_need_no_classes() -> None:
    recordings = Recordings({"x": np.zeros((20, 1))}, [f"d[{i}]" for i in range(20)], np.linspace(0, 1, 20))
    assert set(parts_of(recordings).values()) == {"train", "validation", "test"}


def test_weights_make_classes_count_the_same() -> None:
    labels = np.array([0] * 30 + [1] * 10 + [2] * 5)
    weights = class_weights(labels)
    assert len({round(weights[label] * int((labels == label).sum()), 9) for label in range(3)}) == 1
    assert np.mean([weights[label] for label in labels.tolist()]) == pytest.approx(1)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"sourse": "x"}, "unknown key `data.sourse`; did you mean `source`"),
        ({}, "key `data.source` is missing"),
        ({"source": "x", "test": 1.5}, r"`test` is 1.5; it must be in \[0, 0.9\]"),
        ({"source": "x", "group": "("}, "`group` is no regular expression: missing"),
        ({"source": "x", "window": "3 m"}, "`window` is `3 m`; write samples, as 150, or a duration"),
        ({"source": "x", "stride": 3}, "`stride` without a `window`"),
        ({"source": "x", "classes": ["a", "a"]}, "`classes` names one twice"),
        ({"source": "x", "test": []}, "`test` is an empty list"),
        ({"source": "x", "size": [0, 3]}, "`size` is 0"),
        ({"source": "x", "rate_hz": "fast"}, "`data.rate_hz` is 'fast', not of type float"),
    ],
)
def test_tables_that_break_a_rule(table: dict[str, object], words: str) -> None:
    with pytest.raises(TableError, match=words):
        read_table(DataTable, table, "data")


def test_durations_need_a_rate() -> None:
    table = DataTable(source="x", window="500 ms")  # type: ignore[arg-type]
    assert table.samples("500 ms", 16_000) == 8000
    assert table.samples("1 s", 44.1) == 44
    assert table.samples(7, None) == 7
    with pytest.raises(ValueError, match="nothing says the rate"):
        table.samples("1 s", None)
