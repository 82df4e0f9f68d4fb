"""Recipes are read strictly, found by name or path, and never need TensorFlow."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from kits.recipes import RECIPE, write_recipe
from tinyedge import process
from tinyedge.errors import UsageError
from tinyedge.paths import models_dir
from tinyedge.tables import TableError
from tinyedge.train import find_recipe, list_models, load_recipe
from tinyedge.train.compress.prune import Prune
from tinyedge.train.compress.quantize_aware import QuantizeAware
from tinyedge.train.recipe import read_recipe_table


def test_the_recipes_of_tinyedge_are_listed_and_load() -> None:
    assert {"digits", "sine"} <= set(list_models())
    for name in list_models():
        recipe = find_recipe(name)
        assert recipe.name == name
        assert recipe.folder == models_dir() / name
        assert recipe.summary
        assert (recipe.folder / "README.md").is_file()


def test_every_value_arrives(tmp_path: Path) -> None:
    recipe = load_recipe(write_recipe(tmp_path / "clouds"))
    assert recipe.name == "clouds"
    assert (recipe.task, recipe.seed, recipe.optimize) == ("classification", 3, "size")
    assert recipe.data == {"points": 256}
    assert (recipe.fit.epochs, recipe.fit.batch_size, recipe.fit.learning_rate) == (2, 32, 0.01)
    assert recipe.compress == (
        Prune(sparsity=0.5, epochs=4, learning_rate=0.01),
        QuantizeAware(epochs=1, learning_rate=0.0001),
    )
    assert recipe.convert.representative_samples == 50
    assert recipe.budget_file is None
    (tmp_path / "clouds" / "budget.toml").write_text("")
    assert recipe.budget_file == tmp_path / "clouds" / "budget.toml"


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("clouds", "clouds"),
        ("my net.v2", "my_net_v2"),
        ("red\x1b[31m\n", "red_31m"),
        ("größe", "gr_e"),
        ("--", "model"),
    ],
)
def test_a_folder_gives_a_name_that_every_later_stage_can_use(tmp_path: Path, folder: str, name: str) -> None:
    assert load_recipe(write_recipe(tmp_path / folder)).name == name


@pytest.mark.parametrize(
    ("line", "task"),
    [
        ('task = "regression"', "regression"),
        ('task = ["classification", "regression"]', ("classification", "regression")),
    ],
)
def test_each_output_may_have_a_task(tmp_path: Path, line: str, task: object) -> None:
    text = RECIPE.replace('task = "classification"', line)
    recipe = load_recipe(write_recipe(tmp_path / "clouds", recipe=text))
    assert recipe.task == task
    assert read_recipe_table(recipe.to_json(), recipe.folder) == recipe


def test_a_recipe_survives_its_own_json(tmp_path: Path) -> None:
    recipe = load_recipe(write_recipe(tmp_path / "clouds"))
    assert read_recipe_table(recipe.to_json(), recipe.folder) == recipe


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seed = 3", "sed = 3", "unknown key `sed`; did you mean `seed`?"),
        ("epochs = 2", "epoch = 2", "unknown key `fit.epoch`; did you mean `epochs`?"),
        ("epochs = 2", "", "key `fit.epochs` is missing"),
        ("epochs = 2", "epochs = 2.5", "`fit.epochs` is 2.5, not of type int"),
        ("epochs = 2", "epochs = true", "`fit.epochs` is True, not of type int"),
        ("epochs = 2", "epochs = -1", "`epochs` is -1; it must be at least 0"),
        ("batch_size = 32\nlearning_rate = 0.01", "learning_rate = nan", "`learning_rate` is nan"),
        ("seed = 3", "seed = -1", "`seed` is -1; it must be in [0, 4294967295]"),
        ("seed = 3", "seed = true", "`seed` is True"),
        ('"size"', '"sped"', "`optimize` is 'sped'; did you mean `speed`?"),
        ('"classification"', '"classify"', "did you mean `classification`?"),
        ('"classification"', '["regression", "regress"]', "`task` is 'regress'; did you mean `regression`?"),
        ('"classification"', "[1]", "`task` is [1], not of type str"),
        ("points = 256", "points = [[1]]", "`data.points` is [[1]], not of type int, float, str, bool or list"),
        ('technique = "prune"', 'technique = "prun"', "`compress[1].technique` is `prun`; did you mean `prune`?"),
        ('technique = "prune"', "", "`compress[1]` names no technique"),
        ("[[compress]]\ntechnique", "[compress]\ntechnique", "cannot be read as TOML"),
        ("sparsity = 0.5", "sparsity = 1", "`sparsity` is 1; it must be in [0.01, 0.99]"),
        ("sparsity = 0.5", "sparsty = 0.5", "unknown key `compress[1].sparsty`; did you mean `sparsity`?"),
        ('technique = "quantize_aware"', 'technique = "prune"\nsparsity = 0.5', "`prune` is applied twice"),
        ("[convert]", "[converts]", "unknown key `converts`; did you mean `convert`?"),
        ("representative_samples = 50", "representative_samples = 0", "must be at least 1"),
        ("[fit]", "[fit", "cannot be read"),
    ],
)
def test_a_broken_recipe_is_refused_with_the_key_and_the_rule(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in RECIPE
    folder = write_recipe(tmp_path / "clouds", recipe=RECIPE.replace(old, new, 1))
    with pytest.raises(UsageError) as caught:
        load_recipe(folder)
    assert said in caught.value.what
    assert "recipe.toml" in caught.value.what


def test_nothing_follows_quantization_aware_training(tmp_path: Path) -> None:
    first, prune, aware = RECIPE.split("[[compress]]")
    aware, convert = aware.split("[convert]")
    swapped = f"{first}[[compress]]{aware}[[compress]]{prune}[convert]{convert}"
    with pytest.raises(UsageError, match="`prune` follows `quantize_aware`: it must be the last technique"):
        load_recipe(write_recipe(tmp_path / "clouds", recipe=swapped))


@pytest.mark.parametrize(
    ("chain", "said"),
    [
        ("prune prune_channels", "`prune_channels` follows `prune`: the weights that follow are new, and the zeros"),
        ("quantize_aware prune_channels", "`prune_channels` follows `quantize_aware`: it must be the last technique"),
        ("ptq int4", "`int4` follows `ptq`: it must be the last technique"),
        ("cluster prune", "`prune` follows `cluster`: the weights would no longer be of few values"),
        ("cluster int4", "`int4` follows `cluster`: both decide which values weights may have; keep one of them"),
        ("ptq quantize_aware", "`quantize_aware` follows `ptq`: both decide the ranges of activations"),
        ("int4 low_rank", "`low_rank` follows `int4`: the weights would no longer be of few values"),
        ("hashed cluster", "`cluster` follows `hashed`: both decide which values weights may have"),
        ("prune early_exit", "`early_exit` follows `prune`: the weights that follow are new, and the zeros"),
        (
            "early_exit distill",
            "`distill` follows `early_exit`: the network has two answers then; put `distill` before",
        ),
        ("early_exit graft", "the network has two answers then; put `graft` before it"),
        ("early_exit adapt", "the network has two answers then; put `adapt` before it"),
        ("graft graft", "`graft` is applied twice"),
        ("prune_channels prune cluster quantize_aware", ""),
        ("adapt graft prune_channels early_exit int4 quantize_aware", ""),
        ("distill low_rank prune_channels prune int4 ptq", ""),
    ],
)
def test_chains_that_make_no_sense_are_refused_with_the_reason(tmp_path: Path, chain: str, said: str) -> None:
    settings = {
        "prune": "sparsity = 0.5\nepochs = 1",
        "prune_channels": "macs = 0.5\nepochs = 1",
        "ptq": 'observer = "mse"',
        "adapt": 'data = "new.py"\nepochs = 1',
    }
    tables = [f'[[compress]]\ntechnique = "{name}"\n{settings.get(name, "epochs = 1")}\n' for name in chain.split()]
    folder = write_recipe(tmp_path / "clouds", recipe=RECIPE.split("[[compress]]")[0] + "\n".join(tables))
    if not said:
        assert [technique.name for technique in load_recipe(folder).compress] == chain.split()
        assert read_recipe_table(load_recipe(folder).to_json(), folder).compress == load_recipe(folder).compress
        return
    with pytest.raises(UsageError) as caught:
        load_recipe(folder)
    assert said in caught.value.what
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('technique = "prune"\nsparsity = 0.6\nepochs = 1\npattern = "2:4"', "makes a sparsity of 0.5, and `sparsity`"),
        ('technique = "prune"\nsparsity = 0.5\nepochs = 1\npattern = "4:2"', "must be in [5, 64]"),
        ('technique = "prune"\nsparsity = 0.5\nepochs = 1\npattern = "rows"', "known are `single`, `n:m` as `2:4`"),
        ('technique = "int4"\nepochs = 1\nbits = 5', "`compress[1].bits` is 5"),
        ('technique = "cluster"\nepochs = 1\nvalues = 32', "`compress[1].values` is 32"),
        ('technique = "ptq"\nobserver = "msee"', "did you mean `mse`?"),
        ('technique = "ptq"\npercentile = 50', "`percentile` is 50; it must be in [90, 100]"),
        ('technique = "prune_channels"\nmacs = 1\nepochs = 1', "`macs` is 1; it must be in [0.001, 0.999]"),
        ('technique = "prune_channels"\nmacs = 0.5\nepochs = 1\nsteps = 0', "`steps` is 0; it must be at least 1"),
        ('technique = "prune_channels"\nepochs = 1', "nothing says how far to prune: give `macs`, or `board`"),
        ('technique = "prune_channels"\nepochs = 1\nmax_flash = 9999', "`board` goes with `instructions`, `max_flash`"),
        ('technique = "prune_channels"\nmacs = 0.5\nepochs = 1\nboard = "nrf52840dk"', "give both, or neither"),
        ('technique = "low_rank"\nepochs = 1\nenergy = 1', "`energy` is 1"),
        ('technique = "low_rank"\nepochs = 1\nform = "svd"', "`compress[1].form` is"),
        ('technique = "early_exit"\nlost = 0.9', "`lost` is 0.9; it must be in [0, 0.5]"),
        ('technique = "adapt"\nepochs = 1', "`compress[1].data`"),
        ('technique = "adapt"\nepochs = 1\ndata = "n.py"\ntrains = "last"\nshare = 0.5', "`share` is of adapters"),
        ('technique = "graft"\nepochs = 1\nmacs = 1', "`macs` is 1; it must be in [0.01, 0.999]"),
        ('technique = "hashed"\nepochs = 1\nvalues = 1', "`values` is 1"),
        ('technique = "distill"\nepochs = 1\nteacher = "big.py"', "give both, or neither"),
        ('technique = "distill"\nepochs = 1\nhints = ["a"]', "write `mine=teachers`"),
    ],
)
def test_settings_of_techniques_are_checked(tmp_path: Path, table: str, said: str) -> None:
    text = RECIPE.split("[[compress]]")[0] + f"\n[[compress]]\n{table}\n"
    with pytest.raises(UsageError) as caught:
        load_recipe(write_recipe(tmp_path / "clouds", recipe=text))
    assert said in caught.value.what


def test_a_quick_form_has_few_epochs_of_everything(tmp_path: Path) -> None:
    table = 'technique = "distill"\nepochs = 9\nteacher = "big.py"\nteacher_epochs = 9'
    more = 'technique = "prune_channels"\nmacs = 0.5\nepochs = 8\nsteps = 4'
    text = f"{RECIPE.split('[[compress]]')[0]}\n[[compress]]\n{table}\n[[compress]]\n{more}\n"
    quick = load_recipe(write_recipe(tmp_path / "clouds", recipe=text)).as_quick()
    assert [table["epochs"] for table in quick.to_json()["compress"]] == [1, 1]
    assert quick.to_json()["compress"][0]["teacher_epochs"] == 1


def test_activations_of_int16_are_refused_where_they_cannot_be(tmp_path: Path) -> None:
    text = RECIPE.replace("representative_samples = 50", 'activations = "int16"')
    with pytest.raises(UsageError, match="`quantize_aware` is for activations of int8"):
        load_recipe(write_recipe(tmp_path / "clouds", recipe=text))
    head, tail = RECIPE.split("[[compress]]")[0], '\n[convert]\nactivations = "int16"\n[model]\nwidth = 0.5\n'
    recipe = load_recipe(write_recipe(tmp_path / "clouds", recipe=head + tail))
    assert (recipe.convert.activations, recipe.model) == ("int16", {"width": 0.5})
    assert read_recipe_table(recipe.to_json(), recipe.folder) == recipe


def test_features_are_not_adapted_to(tmp_path: Path) -> None:
    table = (
        '[features]\nkind = "mfcc"\nrate_hz = 16000\n\n[[compress]]\ntechnique = "adapt"\ndata = "n.py"\nepochs = 1\n'
    )
    with pytest.raises(UsageError, match="`adapt` takes data as the model reads it"):
        load_recipe(write_recipe(tmp_path / "clouds", recipe=RECIPE.split("[[compress]]")[0] + table))


def test_an_integer_stands_for_a_real_number() -> None:
    with pytest.raises(TableError, match="`fit` is missing"):
        read_recipe_table({}, Path("x"))
    recipe = read_recipe_table({"fit": {"epochs": 1, "learning_rate": 1}}, Path("x"))
    assert isinstance(recipe.fit.learning_rate, float)


@pytest.mark.parametrize(
    ("folder", "name"), [("my net", "my_net"), ("\x1b[31mred", "31mred"), ("käse", "k_se"), ("clouds", "clouds")]
)
def test_a_name_that_no_firmware_can_say_is_made_one(tmp_path: Path, folder: str, name: str) -> None:
    assert load_recipe(write_recipe(tmp_path / folder)).name == name


def test_a_long_name_is_cut_and_stays_apart_from_its_like(tmp_path: Path) -> None:
    names = {load_recipe(write_recipe(tmp_path / f"{'n' * 60}{end}")).name for end in "ab"}
    assert {len(name) for name in names} == {40}
    assert len(names) == 2


def test_a_pipe_is_no_recipe(tmp_path: Path) -> None:
    folder = write_recipe(tmp_path / "clouds")
    (folder / "recipe.toml").unlink()
    os.mkfifo(folder / "recipe.toml")
    with pytest.raises(UsageError, match="it is not a file"):
        load_recipe(folder)


@pytest.mark.parametrize("missing", ["recipe.toml", "model.py", "data.py"])
def test_a_folder_that_misses_a_file_is_refused(tmp_path: Path, missing: str) -> None:
    folder = write_recipe(tmp_path / "clouds")
    (folder / missing).unlink()
    with pytest.raises(UsageError, match=f"holds no {missing}"):
        load_recipe(folder)


def test_a_model_is_found_by_path_and_a_wrong_name_gets_the_nearest(tmp_path: Path) -> None:
    folder = write_recipe(tmp_path / "clouds")
    assert find_recipe(str(folder)).folder == folder
    with pytest.raises(UsageError) as caught:
        find_recipe("digit")
    assert caught.value.hint == "did you mean `digits`?"


def test_recipes_need_no_tensorflow() -> None:
    code = (
        "import sys; from tinyedge.train import find_recipe, training_digest; training_digest(find_recipe('digits'));"
        "print([name for name in ('tensorflow', 'tf_keras', 'sklearn') if name in sys.modules])"
    )
    assert process.run([sys.executable, "-c", code], timeout_s=60).stdout.strip() == "[]"
