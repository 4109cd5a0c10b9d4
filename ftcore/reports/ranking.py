"""The console tables of a ranking: scores beside costs, and what fine-tuning said."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from ftcore.record import (
    CorrelationRecord,
    RankedBackbone,
    RankingRecord,
    VerificationRecord,
    VerifiedBackbone,
    format_bytes,
)
from ftcore.reports.columns import Column, fold

TITLES = {
    "logme": "LogME",
    "knn": "k-NN",
    "regularized_h_score": "H reg.",
    "h_score": "H",
    "transrate": "TransRate",
    "leep": "LEEP",
    "nce": "NCE",
}
NAMES = 24  # characters of a backbone's name


def render_ranking(record: RankingRecord, width: int = 80) -> list[str]:
    """Return the tables' lines, folded and wrapped to `width` columns."""
    lines = textwrap.wrap(
        f"{record.config['dataset']} · {len(record.backbones)} backbones ranked by "
        f"{TITLES[record.score]} on {record.examples:,} training examples",
        width,
    )
    ranked = [each for each in record.backbones if not each.failure]
    if ranked:
        lines += fold(_columns(ranked, record.score), width)
        lines += textwrap.wrap(
            f"* not dominated: none has as high a {TITLES[record.score]} and is as fast", width
        )
    if record.verification is not None:
        lines += ["", *_verified(record.verification, width)]
    lines += [""]
    for each in record.backbones:
        if each.failure:
            lines += _wrap(f"failed: {each.name}: {each.failure}", width)
    for note in record.notes:
        lines += _wrap(f"note: {note}", width)
    if record.directory is not None:
        lines += _wrap(f"files: {record.directory}", width)
    return lines


def _columns(ranked: Sequence[RankedBackbone], score: str) -> list[Column]:
    costs = [each.cost for each in ranked if each.cost is not None]
    batch = max(cost.batch.examples for cost in costs)
    others = [name for name in ranked[0].scores if name != score]
    return [
        Column("backbone", _names([each.name for each in ranked]), is_left=True),
        Column("", ["*" if each.is_undominated else "" for each in ranked], is_left=True),
        _scores(ranked, score),
        Column("ms", [f"{1e3 * cost.one.seconds:.1f}" for cost in costs]),
        *(_scores(ranked, name) for name in others),
        Column(f"ms of {batch}", [f"{1e3 * cost.batch.seconds:.1f}" for cost in costs]),
        Column("GFLOPs", [f"{cost.flops / 1e9:.3g}" for cost in costs]),
        Column("params", [f"{cost.parameters / 1e6:.2f} M" for cost in costs]),
        Column("memory", [format_bytes(cost.memory_bytes) for cost in costs]),
        Column("features", [f"{each.feature_dim:,}" for each in ranked]),
        Column("weights", [_weights(each) for each in ranked], is_left=True),
        Column("licence", [_licence(each) for each in ranked], is_left=True),
    ]


def _scores(ranked: Sequence[RankedBackbone], name: str) -> Column:
    values = [each.scores[name] for each in ranked]
    return Column(TITLES[name], ["–" if value is None else f"{value:.4g}" for value in values])


def _weights(each: RankedBackbone) -> str:
    weights = each.weights
    if weights is None or weights.name == "random":
        return "random"
    return weights.training_data


def _licence(each: RankedBackbone) -> str:
    licence = each.weights.licence if each.weights is not None else ""
    return textwrap.shorten(licence, 20, placeholder=" …") if licence else "–"


def _names(names: Sequence[str]) -> list[str]:
    # Two specs of one backbone begin alike, and differ in the file at their end.
    half = NAMES // 2
    return [n if len(n) <= NAMES else f"{n[: half - 1]}…{n[-half:]}" for n in names]


def _verified(verification: VerificationRecord, width: int) -> list[str]:
    backbones = verification.backbones
    seeds = max((len(each.runs) for each in backbones), default=0)
    metric = verification.metric
    lines = textwrap.wrap(
        f"fine-tuned, {metric} (mean over {seeds} seed{'s' * (seeds > 1)}, 95 % interval), "
        "chosen on val:",
        width,
    )
    test = [each.test for each in backbones]
    lines += fold(
        [
            Column("backbone", _names([each.name for each in backbones]), is_left=True),
            Column("val", ["–" if each.val is None else f"{each.val:.4f}" for each in backbones]),
            Column("test", [_number(each.value) if each else "failed" for each in test]),
            Column("from", [_number(each.low) if each else "" for each in test]),
            Column("to", [_number(each.high) if each else "" for each in test]),
            Column("", [_remark(each) for each in backbones], is_left=True),
        ],
        width,
    )
    shown = [each for each in verification.correlations if each.part == "test"]
    lines += ["", "rank correlation of scores with test:"]
    lines += fold(_correlations(shown), width)
    return lines + _wrap(f"caution: {verification.caution}", width) * bool(verification.caution)


def _correlations(shown: Sequence[CorrelationRecord]) -> list[Column]:
    return [
        Column("score", [TITLES[each.score] for each in shown], is_left=True),
        Column("N", [str(each.n) for each in shown]),
        Column("tau", [_signed(each.tau) for each in shown]),
        Column("p", ["–" if each.p is None else f"{each.p:.2g}" for each in shown]),
        Column("weighted tau", [_signed(each.weighted_tau) for each in shown]),
    ]


def _remark(each: VerifiedBackbone) -> str:
    return "chosen" if each.is_chosen else ""


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.2f}"


def _wrap(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(width, 20), subsequent_indent="  ", break_long_words=False)
