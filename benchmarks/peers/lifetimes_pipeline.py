"""lifetimes' pipeline, as its documentation draws it. Runs in its own virtual environment; prints JSON.

Usage: python lifetimes_pipeline.py ORDERS.parquet OUT.parquet AS_OF
"""

import json
import sys
import time
import warnings

import pandas as pd
from lifetimes import BetaGeoFitter, GammaGammaFitter
from lifetimes.utils import summary_data_from_transaction_data

warnings.simplefilter("ignore")
orders_file, out, as_of = sys.argv[1:]
steps: dict[str, float] = {}
last = start = time.perf_counter()


def step(name: str) -> None:
    global last  # noqa: PLW0603 - a script
    now = time.perf_counter()
    steps[name] = now - last
    last = now


orders = pd.read_parquet(orders_file, columns=["customer_id", "ordered_at", "amount"])
step("read")
summary = summary_data_from_transaction_data(
    orders, "customer_id", "ordered_at", "amount", observation_period_end=as_of, freq="D", freq_multiplier=7
)
step("summary")
model = BetaGeoFitter().fit(summary["frequency"], summary["recency"], summary["T"])
step("fit")
repeat = summary[(summary["frequency"] > 0) & (summary["monetary_value"] > 0)]
spend = GammaGammaFitter().fit(repeat["frequency"], repeat["monetary_value"])
step("spend")
history = summary["frequency"], summary["recency"], summary["T"]
summary["p_alive"] = model.conditional_probability_alive(*history)
summary["purchases"] = model.conditional_expected_number_of_purchases_up_to_time(52, *history)
summary["clv"] = spend.customer_lifetime_value(model, *history, summary["monetary_value"], time=12, freq="W")
step("value")
summary.to_parquet(out)
step("write")
print(
    json.dumps(
        {
            "seconds": time.perf_counter() - start,
            "steps": steps,
            "parameters": {name: float(value) for name, value in model.params_.items()},
        }
    )
)
