"""Customer lifetime value: when customers order, whether they still will, and what they spend.

Pure models over :class:`Statistics`; knows only ``base``. :func:`fit` fits a model of orders by name,
:func:`fit_spend` the model of spend.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shuke.base.errors import BadInput
from shuke.insight.clv.bg_nbd import fit_bg_nbd, fit_mbg_nbd
from shuke.insight.clv.cnbd_k import fit_bg_cnbd_k, fit_mbg_cnbd_k
from shuke.insight.clv.gamma_gamma import SpendModel, fit_spend
from shuke.insight.clv.model import Diagnosis, PurchaseModel
from shuke.insight.clv.nbd import fit_nbd
from shuke.insight.clv.pareto_nbd import fit_pareto_nbd
from shuke.insight.clv.statistics import Statistics

__all__ = [
    "MODELS",
    "Diagnosis",
    "PurchaseModel",
    "SpendModel",
    "Statistics",
    "fit",
    "fit_bg_cnbd_k",
    "fit_bg_nbd",
    "fit_mbg_cnbd_k",
    "fit_mbg_nbd",
    "fit_nbd",
    "fit_spend",
]

# The one table of models of orders in continuous time.
MODELS: dict[str, Callable[..., PurchaseModel]] = {
    "nbd": fit_nbd,
    "bg-nbd": fit_bg_nbd,
    "mbg-nbd": fit_mbg_nbd,
    "bg-cnbd-k": fit_bg_cnbd_k,
    "mbg-cnbd-k": fit_mbg_cnbd_k,
    "pareto-nbd": fit_pareto_nbd,
}


def fit(name: str, statistics: Statistics, *, unit: str = "week", **options: Any) -> PurchaseModel:
    """Fit the model of this name; ``options`` are the model's own (``covariates``, ``k``).

    Raises BadInput ``insight.unknown_model``, and the errors of the model's own function.
    """
    if name not in MODELS:
        raise BadInput("insight.unknown_model", model=name, possible=sorted(MODELS))
    return MODELS[name](statistics, unit=unit, **options)
