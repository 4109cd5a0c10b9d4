from __future__ import annotations

from ftcore.config import RunConfig
from ftcore.engine.heads import Head, TrainedHead, learning_rates, select, weight_decays
from ftcore.record import EpochRecord
from tests.engine.heads.data import FOLDS, make_data, make_head_parts


def made(value: float | None, loss: float) -> TrainedHead:
    row = EpochRecord(
        epoch=0,
        learning_rate=1.0,
        train_loss=1.0,
        val_loss=loss,
        val={"accuracy": value},
        is_best=True,
    )
    return TrainedHead(Head(FOLDS[0], 0, 1.0, 0.0), [row])


def test_the_best_score_is_chosen_then_the_lower_loss_then_the_first() -> None:
    parts = make_head_parts(make_data(), FOLDS[0])
    heads = [made(0.8, 0.1), made(None, 0.0), made(0.9, 0.5), made(0.9, 0.4), made(0.9, 0.4)]
    assert select(heads, parts.metrics[0]) is heads[3]
    assert select(heads[:2], parts.metrics[0]) is heads[0]


def test_the_grids_hold_what_a_run_takes_by_default() -> None:
    config = RunConfig.parse({})
    assert 0.01 in learning_rates(config.optimizer)
    assert config.weight_decay in weight_decays(config.optimizer)
    assert all(list(rates) == sorted(set(rates)) for rates in map(learning_rates, ("sgd", "adamw")))
