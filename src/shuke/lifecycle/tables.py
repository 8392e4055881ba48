"""What the room keeps in PostgreSQL. Why it is so stands in the migration that makes it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shuke.platform import metadata

__all__ = [
    "customer_facts",
    "customer_facts_history",
    "default_views",
    "model_checks",
    "refreshes",
    "stage_definitions",
    "stage_totals",
    "views",
]

_moment = sa.DateTime(timezone=True)

#: Each time that the facts were worked out.
refreshes = sa.Table(
    "refreshes",
    metadata,
    sa.Column("refresh_id", sa.Uuid, primary_key=True),
    sa.Column("as_of", _moment, nullable=False),
    sa.Column("time_zone", sa.Text, nullable=False),
    sa.Column("horizon_days", sa.Integer, nullable=False),
    sa.Column("currency", sa.Text),
    sa.Column("model", sa.Text),
    sa.Column("cannot_say", JSONB, nullable=False),
    sa.Column("customers", sa.Integer, nullable=False),
    sa.Column("changed", sa.Integer, nullable=False),
    sa.Column("stage_changes", sa.Integer, nullable=False),
    sa.Column("started_at", _moment, nullable=False),
    sa.Column("finished_at", _moment, nullable=False),
)

#: What the choice and the test of the model found at a refresh.
model_checks = sa.Table(
    "model_checks",
    metadata,
    sa.Column("refresh_id", sa.Uuid, primary_key=True),
    sa.Column("found", JSONB, nullable=False),
)

# What is known of a customer, and as what.
_FACTS: dict[str, type[sa.types.TypeEngine[Any]] | sa.types.TypeEngine[Any]] = {
    "currency": sa.Text,
    "first_order_at": _moment,
    "last_order_at": _moment,
    "orders": sa.Integer,
    "order_days": sa.Integer,
    "recency_days": sa.Integer,
    "average_days_between_orders": sa.Double,
    "gross_minor": sa.BigInteger,
    "refunds_minor": sa.BigInteger,
    "average_order_minor": sa.BigInteger,
    "historic_clv_minor": sa.BigInteger,
    "cohort": sa.Date,
    "first_channel": sa.Text,
    "first_store": sa.Text,
    "region": sa.Text,
    "r_score": sa.SmallInteger,
    "f_score": sa.SmallInteger,
    "m_score": sa.SmallInteger,
    "rfm_group": sa.Text,
    "value_group": sa.Text,
    "p_alive": sa.Double,
    "churn_probability": sa.Double,
    "predicted_number_of_orders": sa.Double,
    "predicted_orders_low": sa.Double,
    "predicted_orders_high": sa.Double,
    "expected_order_minor": sa.BigInteger,
    "predicted_clv_minor": sa.BigInteger,
    "predicted_clv_low_minor": sa.BigInteger,
    "predicted_clv_high_minor": sa.BigInteger,
    "total_clv_minor": sa.BigInteger,
    "expected_date_of_next_order": sa.Date,
    "stage": sa.Text,
    "stage_since": _moment,
}
# Not said of everybody with an order.
_OPTIONAL = (
    *("average_days_between_orders", "first_channel", "first_store", "region", "p_alive", "churn_probability"),
    *("predicted_number_of_orders", "predicted_orders_low", "predicted_orders_high", "expected_order_minor"),
    *("predicted_clv_minor", "predicted_clv_low_minor", "predicted_clv_high_minor", "total_clv_minor"),
    "expected_date_of_next_order",
)
_IN_HISTORY = (
    *("currency", "orders", "gross_minor", "refunds_minor", "historic_clv_minor", "r_score", "f_score", "m_score"),
    *("rfm_group", "value_group", "p_alive", "predicted_clv_minor", "stage"),
)
# Zero, not null, once no order is theirs any more.
_COUNTED = ("orders", "gross_minor", "refunds_minor", "historic_clv_minor")

#: The facts of each customer with an order, as of the last refresh.
customer_facts = sa.Table(
    "customer_facts",
    metadata,
    sa.Column("customer_id", sa.Uuid, primary_key=True),
    sa.Column("refresh_id", sa.Uuid, nullable=False),
    *(sa.Column(name, kind, nullable=name in _OPTIONAL) for name, kind in _FACTS.items()),
)

#: What the facts were, from one change that counts to the next.
customer_facts_history = sa.Table(
    "customer_facts_history",
    metadata,
    sa.Column("customer_id", sa.Uuid, primary_key=True),
    sa.Column("as_of", _moment, primary_key=True),
    sa.Column("refresh_id", sa.Uuid, nullable=False),
    *(sa.Column(name, _FACTS[name], nullable=name not in _COUNTED) for name in _IN_HISTORY),
)

#: How many customers stood where, and what they were worth, at each refresh.
stage_totals = sa.Table(
    "stage_totals",
    metadata,
    sa.Column("as_of", _moment, primary_key=True),
    sa.Column("stage", sa.Text, primary_key=True),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("customers", sa.Integer, nullable=False),
    sa.Column("historic_minor", sa.BigInteger, nullable=False),
    sa.Column("predicted_minor", sa.BigInteger),
    sa.Column("orders", sa.BigInteger, nullable=False),
)

#: Lists of customers that somebody wants to see again.
views = sa.Table(
    "views",
    metadata,
    sa.Column("view_id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("made_by", sa.Uuid),
    sa.Column("shared", sa.Boolean, nullable=False),
    sa.Column("columns", ARRAY(sa.Text), nullable=False),
    sa.Column("query", JSONB, nullable=False),
    sa.Column("sort", sa.Text, nullable=False),
    sa.Column("descending", sa.Boolean, nullable=False),
    sa.Column("created_at", _moment, nullable=False),
    sa.Column("updated_at", _moment, nullable=False),
    sa.Column("deleted_at", _moment),
)

#: The one that somebody begins with.
default_views = sa.Table(
    "default_views",
    metadata,
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("view_id", sa.Uuid, sa.ForeignKey("views.view_id"), nullable=False),
)

#: Every vocabulary of stages that the brand has had; the last is in force.
stage_definitions = sa.Table(
    "stage_definitions",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("definition", sa.JSON, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("made_at", _moment, nullable=False),
)
