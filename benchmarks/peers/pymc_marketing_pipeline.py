"""pymc-marketing's pipeline with MAP fits, as its documentation draws it. Has its own environment; prints JSON.

Usage: python pymc_marketing_pipeline.py facts ORDERS.parquet OUT.parquet AS_OF
       python pymc_marketing_pipeline.py pareto SUMMARY.parquet
"""

import json
import sys
import time
import warnings

import numpy as np
import pandas as pd
from pymc_marketing import clv

warnings.simplefilter("ignore")
steps: dict[str, float] = {}
last = start = time.perf_counter()


def step(name: str) -> None:
    global last  # noqa: PLW0603 - a script
    now = time.perf_counter()
    steps[name] = now - last
    last = now


def facts(orders_file: str, out: str, as_of: str) -> dict[str, float]:
    orders = pd.read_parquet(orders_file, columns=["customer_id", "ordered_at", "amount"])
    step("read")
    summary = clv.rfm_summary(
        orders, "customer_id", "ordered_at", "amount", observation_period_end=as_of, time_unit="D", time_scaler=7
    )
    step("summary")
    model = clv.BetaGeoModel(summary)
    model.fit(method="map", progressbar=False)
    step("fit")
    repeat = summary[(summary["frequency"] > 0) & (summary["monetary_value"] > 0)]
    spend = clv.GammaGammaModel(repeat)
    spend.fit(method="map", progressbar=False)
    step("spend")
    alive = model.expected_probability_alive(summary)
    purchases = model.expected_purchases(summary, future_t=52)
    value = spend.expected_customer_lifetime_value(model, summary, future_t=12, discount_rate=0.008, time_unit="W")
    for name, column in (("p_alive", alive), ("purchases", purchases), ("clv", value)):
        summary[name] = np.asarray(column.mean(("chain", "draw")))
    step("value")
    summary.to_parquet(out)
    step("write")
    return parameters(model)


def pareto(summary_file: str) -> dict[str, float]:
    summary = pd.read_parquet(summary_file)
    step("read")
    model = clv.ParetoNBDModel(summary)
    model.fit(method="map", progressbar=False)
    step("fit")
    return parameters(model)


def parameters(model: clv.BetaGeoModel) -> dict[str, float]:
    fitted = model.idata.posterior
    return {str(name): float(fitted[name].mean()) for name in fitted.data_vars if fitted[name].ndim == 2}


found = {"facts": facts, "pareto": pareto}[sys.argv[1]](*sys.argv[2:])
print(json.dumps({"seconds": time.perf_counter() - start, "steps": steps, "parameters": found}))
