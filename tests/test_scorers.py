"""A scorer guesses, without training, how well a backbone transfers; each is checked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal, ortho_group

from hubtl.plugins.manager import plugins
from hubtl.plugins.scoring import judges, score
from hubtl.registry.errors import BadData, BadOption
from hubtl.transfer import neighbours as nearest
from hubtl.transfer.crossed import STRENGTHS, TOLERANCE, crossed
from hubtl.transfer.evidence import evidence
from hubtl.transfer.features import Labelled
from hubtl.transfer.mixture import mixture
from hubtl.transfer.neighbours import neighbours
from hubtl.transfer.probe import cross_validated, fit_head
from hubtl.transfer.scoring import Scored, by_layer, resampled, sample_of
from hubtl.transfer.separation import separation

from .plugin_pages import files

OURS = ("probe", "neighbours", "logme", "h_score", "nleep")


def classes(rows: int = 120, width: int = 8, apart: float = 1.0, seed: int = 0, told: int = 3):
    """Features that tell three classes apart in their first columns, and the classes."""
    dice = np.random.default_rng(seed)
    y = np.arange(rows) % told
    x = dice.normal(size=(rows, width))
    x[:, :told] += apart * np.eye(told)[y]
    x *= np.geomspace(1, 0.3, width)  # as real features are: not alike in all directions
    return x.astype(np.float32), y


def rated(name: str, features, targets, **about) -> Scored:
    return score(plugins().scorer(name), sample_of(features, targets, **about))


@pytest.fixture(scope="module")
def iris():
    from sklearn.datasets import load_iris

    return load_iris(return_X_y=True)


def test_logme_and_the_h_score_of_iris_are_those_that_transformer_ranker_publishes(iris):
    # flairNLP/transformer-ranker at 43b42c1, tests/estimators/test_logme.py and test_hscore.py
    assert rated("logme", *iris).value == pytest.approx(-0.16006022033609904, abs=1e-6)
    assert rated("h_score", *iris).value == pytest.approx(1.177842480406727, abs=1e-9)


def test_logme_is_the_most_that_any_prior_makes_of_the_rows_also_if_they_are_few():
    x, y = classes(rows=12, width=30)
    told = np.eye(3)[y]
    best = [
        max(
            multivariate_normal.logpdf(column, cov=x @ x.T * prior + np.eye(12) * noise)
            for prior in np.geomspace(1e-4, 1, 41)
            for noise in np.geomspace(1e-4, 1, 41)
        )
        for column in told.T
    ]
    assert evidence(sample_of(x, y)).value == pytest.approx(np.mean(best) / 12, abs=2e-3)


def test_the_h_score_is_the_trace_of_its_formula_where_nothing_is_shrunk():
    x, y = classes(rows=3000, width=3, apart=3.0)
    centred = x.astype(np.float64) - x.mean(axis=0, dtype=np.float64)
    fits = np.eye(3)[y] @ np.stack([centred[y == n].mean(0) for n in range(3)])
    plain = np.trace(np.linalg.inv(centred.T @ centred) @ (fits.T @ fits))
    assert separation(sample_of(x, y)).value == pytest.approx(plain, rel=0.01)


def test_neighbours_vote_by_the_angle_and_a_tie_is_half_right():
    angles = np.deg2rad([0, 10, 90, 100, 180, 190, 270, 280])
    x = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    pairs, crossed_over = np.repeat(np.arange(4), 2), np.arange(8) % 2
    assert neighbours(sample_of(x, pairs), nearest=1).value == 1
    assert neighbours(sample_of(x, crossed_over), nearest=1).value == 0
    # Two nearest: its own pair's other half, and one of the next pair.
    assert neighbours(sample_of(x, pairs), nearest=2).value == 0.5


def test_neighbours_are_the_same_in_blocks_as_at_once(monkeypatch):
    sample = sample_of(*classes(rows=101))
    whole = neighbours(sample)
    monkeypatch.setattr(nearest, "ROOM", 101 * 7)
    assert np.array_equal(neighbours(sample).rows, whole.rows)


def test_the_probe_is_the_log_loss_of_rows_held_out_that_the_recipe_finds():
    x, y = classes()
    rows = Labelled(x, np.arange(len(y)), y, np.ones(len(y)))
    found = crossed(sample_of(x, y))
    same = cross_validated(rows, 3, strengths=STRENGTHS, tolerance=TOLERANCE)
    assert found.value == pytest.approx(-same.loss, rel=1e-5)
    # The recipe's heads are fitted to the end; the difference is far below what chance makes.
    error = found.rows.std() / np.sqrt(len(y))
    recipe = fit_head(rows, 3, strengths=STRENGTHS)
    assert found.value == pytest.approx(-recipe.loss, abs=error / 10)
    assert same.strength == recipe.strength
    assert set(found.facts) == {"accuracy", "macro_f1"} and 0.4 < found.facts["accuracy"] < 0.9


def test_the_probe_of_features_wider_than_512_is_that_of_all_where_no_more_vary():
    x, y = classes()
    wide = x @ np.linalg.qr(np.random.default_rng(0).normal(size=(600, 8)))[0].T
    found, same = (crossed(sample_of(features, y)).value for features in (wide, x))
    assert found == pytest.approx(same, abs=2e-3)


def test_the_probe_of_numbers_is_the_variance_explained_on_rows_held_out():
    x, _ = classes(rows=200)
    noise = np.random.default_rng(1).normal(size=200)
    assert crossed(sample_of(x, x[:, 0].astype(np.float64))).value == pytest.approx(1, abs=1e-4)
    assert crossed(sample_of(x, x[:, 0] + noise)).value == pytest.approx(0.5, abs=0.1)
    assert abs(crossed(sample_of(x, noise)).value) < 0.1


def test_nleep_of_one_cluster_is_the_log_share_of_a_class_among_the_other_rows():
    y = np.array([0, 0, 0, 1, 1, 1, 1, 1])
    others = np.array([(2 + 3 / 8) / 8] * 3 + [(4 + 5 / 8) / 8] * 5)
    assert np.allclose(mixture(sample_of(np.zeros((8, 4)), y)).rows, np.log(others))


def test_nleep_does_not_take_clusters_of_a_row_each_for_knowledge():
    x, y = np.random.default_rng(0).normal(size=(60, 40)), np.arange(60) % 12
    assert mixture(sample_of(x, y)).value < np.log(1 / 12) + 0.1


@pytest.mark.parametrize("name", OURS)
def test_the_better_features_tell_classes_the_higher_they_score(name):
    at = [rated(name, *classes(apart=apart)).value for apart in (0, 1.5, 4)]
    assert at[0] < at[1] < at[2]


@pytest.mark.parametrize("name", ["probe", "neighbours", "logme", "h_score"])
@pytest.mark.parametrize("kind", ["classes", "number"])
def test_several_classes_a_row_and_numbers_are_judged_too(name, kind):
    x, _ = classes(rows=200)
    y = x[:, :2] + np.random.default_rng(2).normal(size=(200, 2))
    targets = (y > 0).astype(np.float32) if kind == "classes" else y
    shuffled = x[np.random.default_rng(3).permutation(200)]
    assert rated(name, x, targets).value > rated(name, shuffled, targets).value
    assert sample_of(x, targets).kind == kind


@pytest.mark.parametrize("name", OURS)
def test_a_rotation_and_a_scale_of_features_change_nothing(name):
    x, y = classes()
    turned = 37 * x.astype(np.float64) @ ortho_group.rvs(8, random_state=0)
    assert rated(name, turned, y).value == pytest.approx(rated(name, x, y).value, abs=2e-3)


@pytest.mark.parametrize("name", OURS)
def test_a_score_is_the_same_for_the_same_seed_and_the_mean_of_its_rows(name):
    first, second = rated(name, *classes(), seed=3), rated(name, *classes(), seed=3)
    assert first.value == second.value == pytest.approx(np.nanmean(first.rows))


@pytest.mark.parametrize("name", OURS)
def test_features_wider_than_rows_and_features_that_are_all_alike_have_a_score(name):
    wide, y = classes(rows=30, width=200, apart=4)
    alike = rated(name, np.ones((30, 5)), y).value
    assert np.isfinite(alike) and alike <= rated(name, wide, y).value


@pytest.mark.parametrize("name", OURS)
def test_a_row_a_class_has_a_score_or_is_told(name):
    x, y = np.random.default_rng(0).normal(size=(6, 4)), np.arange(6)
    if name == "probe":
        with pytest.raises(BadData, match="no row can be held out"):
            rated(name, x, y)
    else:
        assert np.isfinite(rated(name, x, y).value)


@pytest.mark.parametrize(
    ("features", "targets", "told"),
    [
        ([[0.0], [np.nan], [np.inf]], [0, 1, 0], "the features of 2 of 3 rows are not numbers"),
        ([[0.0], [1.0]], [1, 1], "all 2 rows have the same target"),
        ([[0.0], [1.0]], [0, 1, 1], r"features \[2, 1\] and targets \[3\]"),
        ([[0.0], [1.0]], [0.5, np.nan], "some targets are not numbers"),
    ],
)
def test_what_can_not_be_judged_is_told(features, targets, told):
    with pytest.raises(BadData, match=told):
        sample_of(features, targets)


@pytest.mark.parametrize("name", ["probe", "neighbours", "nleep"])
def test_rows_of_one_group_never_tell_of_one_another(name):
    x, y = np.random.default_rng(0).normal(size=(60, 30)), np.arange(60) % 2
    twice, group = (np.concatenate([x, x]), np.concatenate([y, y])), np.tile(np.arange(60), 2)
    leaked, apart = rated(name, *twice), rated(name, *twice, groups=group)
    assert leaked.value > apart.value + 0.1


@pytest.mark.parametrize("name", ["logme", "h_score"])
def test_shares_of_rows_give_the_error_that_scoring_resamples_gives(name):
    x, y = classes(rows=200, apart=2)
    dice = np.random.default_rng(0)
    again = [rated(name, x[rows], y[rows]).value for rows in dice.integers(0, 200, (60, 200))]
    drawn = resampled([rated(name, x, y)])
    assert drawn.std() == pytest.approx(np.std(again), rel=0.3)


def test_resamples_are_of_the_same_rows_for_all_and_of_whole_groups():
    rows = np.random.default_rng(0).normal(size=40)
    shifted = resampled([Scored(0, rows), Scored(0, rows + 1), Scored(7.0)], seed=1)
    assert np.allclose(shifted[:, 1] - shifted[:, 0], 1) and (shifted[:, 2] == 7).all()
    paired = np.repeat(rows[:20], 2)
    alone, together = (
        resampled([Scored(0, paired)], groups=groups).std()
        for groups in (None, np.repeat(np.arange(20), 2))
    )
    assert together == pytest.approx(alone * np.sqrt(2), rel=0.15)


def test_a_plain_function_is_a_scorer_of_classes_and_of_nothing_else():
    class Plain:
        name = "plain"

        def __call__(self, features, targets):
            return float(features.mean()) if targets.ndim == 1 else float("nan")

    x, y = np.ones((4, 2)), np.array([0, 1, 0, 1])
    assert score(Plain(), sample_of(x, y)) == Scored(1.0)
    assert not judges(Plain(), "number")
    with pytest.raises(BadOption, match="can't judge targets of the kind `number`"):
        score(Plain(), sample_of(x, y / 2))
    with pytest.raises(BadData, match="`plain` gives no number"):
        score(Plain(), sample_of(x * 3e38, y))


def test_the_best_layer_and_the_mean_of_layers_are_found():
    good, y = classes(apart=4)
    noise = np.random.default_rng(5).normal(size=good.shape).astype(np.float32)
    found = by_layer([noise, good, noise], sample_of(good, y), evidence)
    averaged = evidence(sample_of((good + 2 * noise) / 3, y)).value
    assert found.best == 1 and found.averaged.value == pytest.approx(averaged, abs=1e-5)
    assert by_layer([noise[:, :4], good], sample_of(good, y), evidence).averaged is None


def test_the_pages_scorer_by_row_leaves_each_row_out_of_its_mean():
    module: dict[str, type] = {}
    exec(files("scorer")["hubtl_centroid.py"], module)
    features = np.array([[0.0], [1.0], [2.0], [10.0], [5.0]])
    found = score(module["Centroid"](), sample_of(features, np.array([0, 0, 0, 1, 2])))
    # 0 and 1 lie nearest to the mean of the others of theirs; 2 does too, at 0.5, not at 5.
    assert found.rows.tolist()[:3] == [1, 1, 1] and np.isnan(found.rows[3:]).all()
