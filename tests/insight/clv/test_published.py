"""Published and re-run results on the CDNOW sample (2,357 customers, weeks, calibrated to 1997-09-30).

R: BTYD::bgnbd.EstimateParameters, BTYDplus::mbgnbd.EstimateParameters, BTYDplus::nbd.EstimateParameters,
BTYD::spend.EstimateParameters; Python: lifetimes. Fader, Hardie & Lee (2005) print the BG/NBD estimates.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from shuke.insight.clv import fit, fit_spend


def test_the_data_are_the_published_ones(cdnow: Any) -> None:
    assert (cdnow.x.size, cdnow.x.sum(), (cdnow.x > 0).sum(), cdnow.later.sum()) == (2357, 2457, 946, 1882)
    assert (round(cdnow.t_x.sum(), 1), round(cdnow.T.sum())) == (16135.6, 77111)


@pytest.mark.parametrize(
    ("name", "parameters", "log_likelihood", "holdout"),
    [
        ("bg-nbd", {"r": 0.24259, "alpha": 4.41360, "a": 0.79292, "b": 2.42590}, -9582.4292, (1653.41, 0.7855, 1.6080)),
        (
            "mbg-nbd",
            {"r": 0.52484, "alpha": 6.18309, "a": 0.89139, "b": 1.61405},
            -9582.1357,
            (1576.71, 0.7648, 1.6072),
        ),
        ("nbd", {"r": 0.38477, "alpha": 12.07201}, -9763.6576, (2929.82, 1.0410, 1.8595)),
    ],
)
def test_estimates_and_holdout(
    cdnow: Any, name: str, parameters: dict[str, float], log_likelihood: float, holdout: tuple[float, float, float]
) -> None:
    model = fit(name, cdnow.statistics)
    # Four digits: the published maxima stopped a little short of the top in the fifth.
    assert model.parameters == pytest.approx(parameters, rel=5e-5)
    assert model.log_likelihood == pytest.approx(log_likelihood, abs=1e-4)
    assert (model.diagnosis.converged, model.diagnosis.warnings) == (True, ())
    assert model.diagnosis.gradient_norm < 1e-9
    predicted = model.expected_purchases(39, cdnow.x, cdnow.t_x, cdnow.T)
    error = predicted - cdnow.later
    found = (predicted.sum(), np.abs(error).mean(), np.sqrt((error**2).mean()))
    assert found == pytest.approx(holdout, rel=1e-4)


def test_single_customers_of_bg_nbd(cdnow: Any) -> None:
    model = fit("bg-nbd", cdnow.statistics)
    customer = (2, 30.43, 38.86)
    assert model.expected_purchases(39, *customer) == pytest.approx(1.22591, abs=1e-5)
    assert model.p_alive(*customer) == pytest.approx(0.72661, abs=1e-5)
    assert model.expected_total([1, 3, 78]) == pytest.approx([0.053184, 0.150631, 1.857958], abs=1e-6)
    assert model.probability_of(0, 39, 0, 0, 0) == pytest.approx(0.574307, abs=1e-6)


def test_spend(cdnow: Any) -> None:
    spend = fit_spend(cdnow.x, cdnow.mean_spend)
    assert spend.parameters == pytest.approx({"p": 6.2493, "q": 3.7443, "gamma": 15.444}, rel=1e-4)
    assert spend.log_likelihood == pytest.approx(-4055.9177, abs=1e-4)
    assert spend.customers == 946
    assert spend.population_mean == pytest.approx(35.17, abs=0.005)
    assert spend.expected_spend(2, 30) == pytest.approx(30.9309, abs=2e-4)
    assert spend.expected_spend(0, np.nan) == spend.population_mean


def test_random_timing_is_what_cdnow_shows(cdnow: Any) -> None:
    # BTYDplus::mbgcnbd.EstimateParameters without k chooses k = 1 as well; then it is MBG/NBD.
    regular = fit("mbg-cnbd-k", cdnow.statistics)
    plain = fit("mbg-nbd", cdnow.statistics)
    assert regular.parameters == {**plain.parameters, "k": 1.0}
    assert regular.log_likelihood == plain.log_likelihood
    assert fit("bg-cnbd-k", cdnow.statistics, k=1).log_likelihood == fit("bg-nbd", cdnow.statistics).log_likelihood
