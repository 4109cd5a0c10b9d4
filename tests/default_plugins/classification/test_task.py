from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.dummy import DummyClassifier
from sklearn.metrics import log_loss, precision_recall_fscore_support
from sklearn.utils.class_weight import compute_class_weight
from torch import nn
from torch.nn import functional

from ftcore import (
    Backbone,
    ConfigError,
    DataBundle,
    NeighbourTask,
    StackedTask,
    Statistics,
    Task,
    Weights,
    ops,
)
from ftcore.default_plugins.classification.task import ClassificationTask
from tests.default_plugins.classification.data import batch, bundle

TASK = ClassificationTask()
DATA = bundle([0, 0, 0, 1, 2, 2], test=[0, 1, 2])


def statistics_of(
    rows: int = 30, data: DataBundle = DATA, needs: tuple[str, ...] = ()
) -> Statistics:
    statistics = TASK.statistics(data, needs)
    TASK.update_(statistics, *batch(rows, len(data.classes)))
    return statistics


def test_it_is_a_task() -> None:
    assert isinstance(TASK, Task)


def test_head_is_one_linear_layer(backbone: Backbone) -> None:
    head = TASK.build_head(backbone, DATA)
    assert isinstance(head, nn.Linear)
    assert (head.in_features, head.out_features) == (7, 3)
    torch.manual_seed(1)
    expected = nn.Linear(7, 3).weight
    torch.manual_seed(1)
    assert torch.equal(next(TASK.build_head(backbone, DATA).parameters()), expected)


@pytest.fixture
def backbone() -> Backbone:
    return Backbone("toy", (), 7, None, Weights("random"))  # type: ignore[arg-type]


def test_loss_is_cross_entropy() -> None:
    logits, targets = batch(30, 3)
    loss = TASK.build_loss(DATA)(logits, targets)
    torch.testing.assert_close(loss, functional.cross_entropy(logits, targets))


def test_label_smoothing_mixes_in_all_classes() -> None:
    logits, targets = batch(30, 3)
    loss = ClassificationTask(label_smoothing=0.1).build_loss(DATA)(logits, targets)
    log_p = logits.log_softmax(-1)
    truth = 0.9 * functional.one_hot(targets, 3) + 0.1 / 3
    torch.testing.assert_close(loss, -(truth * log_p).sum(-1).mean())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
def test_balanced_weights_are_those_of_scikit_learn(dtype: torch.dtype) -> None:
    logits, targets = batch(30, 3)
    loss = ClassificationTask(is_balanced=True).build_loss(DATA)(logits.to(dtype), targets)
    labels = DATA.splits["train"].targets.numpy()
    weights = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    expected = functional.cross_entropy(
        logits.to(dtype), targets, weight=torch.from_numpy(weights).to(dtype)
    )
    torch.testing.assert_close(loss, expected)


def test_empty_statistics_have_every_field_and_no_rows() -> None:
    statistics = TASK.statistics(DATA)
    assert all(not field.any() for field in statistics.fields.values())
    assert all(len(row) == 0 for row in statistics.rows.values())


@pytest.mark.parametrize("classes", [2, 3])
def test_scores_have_one_column_for_two_classes(classes: int) -> None:
    statistics = statistics_of(data=bundle([0], classes), needs=("scores",))
    assert statistics.rows["scores"].shape == (30, 1 if classes == 2 else classes)


def test_an_unknown_need_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"needs depth, which classification does not have.*nll"):
        TASK.statistics(DATA, ("n", "depth"))


@pytest.mark.parametrize(("needs", "kept"), [((), False), (("confusion",), True)])
def test_a_huge_confusion_matrix_is_kept_only_if_needed(needs: tuple[str, ...], kept: bool) -> None:
    statistics = TASK.statistics(bundle([0], 1025), needs)
    assert ("confusion" in statistics.fields) is kept


def test_update_adds_what_the_op_adds() -> None:
    expected = ops.classification_statistics(*batch(30, 3))
    for name, field in statistics_of().fields.items():
        assert torch.equal(field, expected.fields[name])


def test_update_refuses_statistics_it_did_not_make() -> None:
    with pytest.raises(TypeError, match="nothing else"):
        TASK.update_(ops.classification_statistics(*batch(5, 3)), *batch(5, 3))


def test_units_are_the_scored_examples() -> None:
    logits, targets = batch(30, 3)
    logits[0] = math.inf
    statistics = TASK.statistics(DATA)
    TASK.update_(statistics, logits, targets)
    assert TASK.units(statistics) == 29


def test_decode_gives_the_most_likely_class_and_its_probability() -> None:
    decoded = TASK.decode(torch.tensor([[0.0, math.log(3), 0.0], [5.0, 5.0, -1e30]]))
    assert decoded["prediction"].tolist() == [1, 0]
    assert decoded["confidence"].tolist() == pytest.approx([3 / 5, 1 / 2])


def test_per_class_numbers_are_those_of_scikit_learn() -> None:
    data = bundle([0], ["ant", "bee", "cat", "never seen"])
    logits, targets = batch(60, 3)
    logits = functional.pad(logits, (0, 1), value=-99.0)
    statistics = TASK.statistics(data)
    TASK.update_(statistics, logits, targets)
    expected = precision_recall_fscore_support(
        targets.numpy(), logits.argmax(-1).numpy(), labels=range(4), zero_division=0
    )
    table = TASK.per_class(statistics, data)
    assert list(table) == ["ant", "bee", "cat", "never seen"]
    for index, row in enumerate(table.values()):
        assert list(row) == ["precision", "recall", "f1", "support"]
        assert list(row.values()) == pytest.approx([column[index] for column in expected])


def test_baseline_is_the_prior_of_the_training_part() -> None:
    train, test = np.array([0, 0, 0, 1, 2, 2]), torch.tensor([2, 2, 0, 1])
    (name, statistics), *others = TASK.baselines(DATA, test, ("scores",)).items()
    prior = DummyClassifier(strategy="prior").fit(np.zeros((6, 1)), train)
    probabilities = prior.predict_proba(np.zeros((4, 1)))
    assert (name, others) == ("majority class", [])
    assert statistics.rows["prediction"].tolist() == prior.predict(np.zeros((4, 1))).tolist()
    assert float(statistics.nll / 4) == pytest.approx(log_loss(test, probabilities))
    assert "scores" in statistics.rows


def test_baseline_survives_a_class_without_training_examples() -> None:
    statistics = TASK.baselines(bundle([0, 0], 3), torch.tensor([0, 2]))["majority class"]
    assert (int(statistics.n), int(statistics.non_finite)) == (2, 0)


def test_neighbours_vote_with_their_weights_and_all_classes_share_one_vote_more() -> None:
    assert isinstance(TASK, NeighbourTask)
    targets = torch.tensor([[2, 0, 0], [1, 1, 1]])
    weights = torch.tensor([[1.0, 0.4, 0.1], [1.0, 1.0, 1.0]])
    outputs = TASK.outputs_of_neighbours(bundle([0, 1, 2], 3), targets, weights)
    votes = np.array([[1.0, 0, 2], [0, 3, 0]])  # of three neighbours: 0.5 and 1 of 1.5
    assert outputs.exp().numpy() == pytest.approx((votes + 1 / 3) / 4)


def test_heads_scored_together_have_the_fields_of_each() -> None:
    assert isinstance(TASK, StackedTask)
    logits, targets = batch(30, 3)
    heads = torch.stack([logits, logits.flip(1), -2 * logits])
    stacked = TASK.stacked_statistics(DATA, ("confusion", "nll"), 3)
    assert stacked is not None
    TASK.stacked_update_(stacked, heads, targets)
    for index, head in enumerate(heads):
        log_p = head.double().log_softmax(1)
        nll = -log_p[torch.arange(30), targets].sum()
        torch.testing.assert_close(stacked.fields["nll"][index], nll, rtol=1e-6, atol=0)
        pairs = 3 * targets + head.argmax(1)
        confusion = torch.bincount(pairs, minlength=9).reshape(3, 3)
        assert torch.equal(stacked.fields["confusion"][index], confusion)


def test_rows_are_not_stacked() -> None:
    assert TASK.stacked_statistics(DATA, ("scores",), 2) is None
    with pytest.raises(TypeError, match="stacked_statistics"):
        TASK.stacked_update_(TASK.statistics(DATA), *batch(4, 3))
