from __future__ import annotations

from ftcore.studies.config import StudyConfig
from ftcore.studies.plan import describe, plan_runs


def test_every_configuration_has_a_run_for_each_fold_and_seed() -> None:
    config = StudyConfig.of({"folds": 3, "seeds": 2, "seed": 7, "lr": [0.1, 0.2]}, "the test")
    cells = plan_runs(config)
    assert [cell.label for cell in cells] == ["lr=0.1", "lr=0.2"]
    places = [(m.config.fold, m.config.seed, m.fold, m.seed) for m in cells[1].members]
    assert places == [(f"{fold + 1}/3", seed, fold, seed) for fold in range(3) for seed in (7, 8)]
    names = [member.name for cell in cells for member in cell.members]
    assert len(set(names)) == 12
    assert names[0] == "001-lr=0.1-fold1-seed7"
    configs = [member.config for cell in cells for member in cell.members]
    assert {(config.save, config.baselines) for config in configs} == {("nothing", "none")}


def test_without_folds_only_the_seeds_differ() -> None:
    (cell,) = plan_runs(StudyConfig.of({"seeds": 3}, "the test"))
    assert [member.config.seed for member in cell.members] == [0, 1, 2]
    assert {member.config.fold for member in cell.members} == {None}
    assert cell.label == ""


def test_labels_name_what_differs() -> None:
    assert describe({"freeze": "bottom:2"}) == "bottom:2"
    assert describe({"backbone": "resnet18", "freeze": "none"}) == "resnet18 freeze=none"
    assert describe({"shots": None}) == "shots=full"
