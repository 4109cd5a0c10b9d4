"""Names become objects here: what the command line does, for Python programs.

A configuration is a RunConfig, or its fields: ftcore.run(backbone="resnet18", epochs=5).
"""

from __future__ import annotations

from ftcore.api.cache import feature_cache
from ftcore.api.comparison import compare
from ftcore.api.data import DataSummary, check_data
from ftcore.api.depths import depth, plan_depths, resume_depth
from ftcore.api.evaluation import evaluate
from ftcore.api.logits import evaluate_logits
from ftcore.api.prediction import Prediction, predict
from ftcore.api.ranking import check_ranked, rank
from ftcore.api.requirements import check_requirements
from ftcore.api.runs import Plan, plan, resume, run
from ftcore.api.studies import resume_study, study

__all__ = [
    "DataSummary",
    "Plan",
    "Prediction",
    "check_data",
    "check_ranked",
    "check_requirements",
    "compare",
    "depth",
    "evaluate",
    "evaluate_logits",
    "feature_cache",
    "plan",
    "plan_depths",
    "predict",
    "rank",
    "resume",
    "resume_depth",
    "resume_study",
    "run",
    "study",
]
