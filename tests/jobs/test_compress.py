"""Chains are tried in order of promise until one fits; what was found is told, and its recipe written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kits.cli import tinyedge
from kits.recipes import RECIPE, needs_tensorflow, write_recipe
from tinyedge.artifacts.compression import Compression, ImageFigures, Limits
from tinyedge.artifacts.observer import Silence
from tinyedge.errors import FitError, ModelError, UsageError
from tinyedge.jobs import compress as job
from tinyedge.jobs.chains import in_order_of_promise, list_chains
from tinyedge.jobs.choices import Choices
from tinyedge.report.compression import render_compression
from tinyedge.train.compress.order import check_order
from tinyedge.train.recipe import Recipe, load_recipe
from tinyedge.train.recipe_text import table_of, with_techniques

INT8 = ImageFigures(40_000, 8_000, 20_000, 1_000_000, 20_000.0, 0.95, 0.95, 1.0, 0)


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    return load_recipe(write_recipe(tmp_path / "clouds"))


def tried(recipe: Recipe, limits: Limits, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Compression:
    """A search in which images follow the estimates, but for `broken`, a technique that cannot treat the model."""
    broken = options.pop("broken", "")
    first = options.pop("first", INT8)

    def figures(_recipe: Recipe, chain: Any, *_: Any) -> ImageFigures:
        if broken and any(technique.name == broken for technique in chain.techniques):
            raise ModelError(f"`{broken}` cannot treat it")
        return replace(
            first,
            flash_bytes=round(first.flash_bytes - first.constant_bytes * (1 - chain.weights)),
            instructions=round(first.instructions * chain.work),
        )

    monkeypatch.setattr(job, "_figures", figures)
    choices = Choices(model="clouds", board="nrf52840dk", compiler="zig", optimize=None, build_dir=Path("build"))
    return job.compress(recipe, choices, limits, Silence(), **options)


def test_every_chain_is_one_that_recipes_may_have(recipe: Recipe) -> None:
    for chain in list_chains(recipe):
        check_order(chain.techniques)
        assert 0 < chain.weights <= 1
        assert 0 < chain.work <= 1


def test_the_gentlest_chain_that_promises_to_fit_comes_first(recipe: Recipe) -> None:
    names = [chain.name for chain in in_order_of_promise(list_chains(recipe), INT8, Limits(flash_bytes=32_000))]
    assert names[0] == "int4"
    faster = in_order_of_promise(list_chains(recipe), INT8, Limits(instructions=500_000))
    assert faster[0].name == "prune_channels 0.5"
    assert {chain.name for chain in faster} == {chain.name for chain in list_chains(recipe)}


def test_the_search_stops_at_the_first_that_fits(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    found = tried(recipe, Limits(flash_bytes=32_000, accuracy=0.9), monkeypatch)
    assert found.fits
    assert [each.name for each in found.tries] == ["as the recipe has it", "int4"]
    assert found.best is found.tries[-1]
    assert "`int4` fits" in render_compression(found)


def test_a_model_that_fits_is_left_as_it_is(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    found = tried(recipe, Limits(flash_bytes=40_000), monkeypatch)
    assert [each.name for each in found.tries] == ["as the recipe has it"]


def test_what_cannot_be_trained_is_told_and_passed_over(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    found = tried(recipe, Limits(flash_bytes=32_000), monkeypatch, broken="int4")
    refused = [each for each in found.tries if each.refused]
    assert refused[0].refused == "`int4` cannot treat it"
    assert found.fits
    assert "refused" in render_compression(found)


def test_a_model_too_large_for_any_image_is_made_smaller(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    def figures(_recipe: Recipe, chain: Any, *_: Any) -> ImageFigures:
        if chain.weights > 0.5:
            raise FitError("too large for the board")
        return INT8

    monkeypatch.setattr(job, "_figures", figures)
    choices = Choices(model="clouds", board="nrf52840dk", compiler="zig", optimize=None, build_dir=Path("build"))
    found = job.compress(recipe, choices, Limits(accuracy=0.9), Silence())
    assert found.tries[0].refused == "too large for the board"
    assert found.fits
    assert found.best is not None
    assert "int4" in found.best.name


def test_the_nearest_is_told_when_nothing_fits(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    found = tried(recipe, Limits(flash_bytes=10_000), monkeypatch, most_tries=4)
    assert not found.fits
    assert len(found.tries) == 4
    best = found.best
    assert best is not None
    assert best.distance(found.limits) == min(each.distance(found.limits) for each in found.tries)
    told = render_compression(found)
    assert f"nothing fits; `{best.name}` comes nearest: flash " in told
    assert max(len(line) for line in told.splitlines()[:-1]) <= 80
    document = found.to_json()
    assert document["fits"] is False
    assert document["tries"][-1]["over"][0]["name"] == "flash_bytes"
    json.dumps(document)


@pytest.mark.parametrize(
    ("limits", "first", "said"),
    [
        (Limits(latency_us=1.0), replace(INT8, latency_us=None), "nobody knows milliseconds"),
        (Limits(instructions=1), replace(INT8, instructions=None), "nothing counts instructions"),
        (Limits(accuracy=0.5), replace(INT8, accuracy=None), "no accuracy"),
    ],
)
def test_a_limit_of_what_nobody_knows_is_refused(
    recipe: Recipe, monkeypatch: pytest.MonkeyPatch, limits: Limits, first: ImageFigures, said: str
) -> None:
    def figures(*_: Any) -> ImageFigures:
        return first

    monkeypatch.setattr(job, "_figures", figures)
    choices = Choices(model="clouds", board="nrf52840dk", compiler="zig", optimize=None, build_dir=Path("build"))
    with pytest.raises(UsageError, match=said):
        job.compress(recipe, choices, limits, Silence())


def test_outputs_that_differ_never_fit(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    found = tried(recipe, Limits(flash_bytes=90_000), monkeypatch, first=replace(INT8, mismatches=1), most_tries=2)
    assert not found.fits


def test_the_recipe_of_the_winner_is_read_back_with_its_comments(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (recipe.folder / "recipe.toml").write_text("# of mine\n" + RECIPE)
    found = tried(recipe, Limits(flash_bytes=32_000), monkeypatch)
    job.write_recipe(recipe, found, tmp_path / "out" / "recipe.toml")
    written = write_recipe(tmp_path / "again", recipe=(tmp_path / "out" / "recipe.toml").read_text())
    assert (written / "recipe.toml").read_text().startswith("# of mine\n")
    again = load_recipe(written)
    assert [technique.name for technique in again.compress] == ["int4"]
    assert replace(again, name="", folder=Path(), compress=()) == replace(recipe, name="", folder=Path(), compress=())


def test_tables_of_techniques_make_them_again(recipe: Recipe, tmp_path: Path) -> None:
    for number, chain in enumerate(list_chains(recipe)):
        text = with_techniques(RECIPE, [table_of(technique) for technique in chain.techniques])
        assert load_recipe(write_recipe(tmp_path / str(number), recipe=text)).compress == chain.techniques
    assert "[[compress]]" not in with_techniques(RECIPE, [])


@pytest.mark.slow
@pytest.mark.train
@needs_tensorflow
def test_a_search_from_the_command_line_writes_what_it_found_and_goes_on(tmp_path: Path) -> None:
    folder = write_recipe(tmp_path / "clouds", recipe=RECIPE.split("[[compress]]")[0])
    arguments = ("compress", folder, "--board", "nrf52840", "--max-instructions", "4000", "--tries", "2", "--quick")
    first = tinyedge(*arguments, "--json", cwd=tmp_path, timeout_s=900)
    document = json.loads(first.stdout)
    assert document["schema"] == "tinyedge.compress/1"
    assert document["tries"][0]["name"] == "as the recipe has it"
    assert all(each["mismatches"] == 0 for each in document["tries"] if "mismatches" in each)
    assert (first.code == 0) == document["fits"]
    assert (tmp_path / "build" / "clouds" / "compressed.toml").is_file()
    again = tinyedge(*arguments, "--json", cwd=tmp_path, timeout_s=900)
    assert json.loads(again.stdout) == document
    assert "kept from" in again.stderr
