"""What the room keeps in PostgreSQL. Why it is so stands in the migration that makes it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from shuke.platform import metadata

__all__ = ["customer_facts", "customer_facts_history", "refreshes"]

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

#: The facts of each customer with an order, as of the last refresh.
customer_facts = sa.Table(
    "customer_facts",
    metadata,
    sa.Column("customer_id", sa.Uuid, primary_key=True),
    sa.Column("refresh_id", sa.Uuid, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("first_order_at", _moment, nullable=False),
    sa.Column("last_order_at", _moment, nullable=False),
    sa.Column("orders", sa.Integer, nullable=False),
    sa.Column("order_days", sa.Integer, nullable=False),
    sa.Column("recency_days", sa.Integer, nullable=False),
    sa.Column("average_days_between_orders", sa.Double),
    sa.Column("gross_minor", sa.BigInteger, nullable=False),
    sa.Column("refunds_minor", sa.BigInteger, nullable=False),
    sa.Column("average_order_minor", sa.BigInteger, nullable=False),
    sa.Column("historic_clv_minor", sa.BigInteger, nullable=False),
    sa.Column("cohort", sa.Date, nullable=False),
    sa.Column("first_channel", sa.Text),
    sa.Column("first_store", sa.Text),
    sa.Column("region", sa.Text),
    sa.Column("r_score", sa.SmallInteger, nullable=False),
    sa.Column("f_score", sa.SmallInteger, nullable=False),
    sa.Column("m_score", sa.SmallInteger, nullable=False),
    sa.Column("rfm_group", sa.Text, nullable=False),
    sa.Column("value_group", sa.Text, nullable=False),
    sa.Column("p_alive", sa.Double),
    sa.Column("churn_probability", sa.Double),
    sa.Column("predicted_number_of_orders", sa.Double),
    sa.Column("predicted_orders_low", sa.Double),
    sa.Column("predicted_orders_high", sa.Double),
    sa.Column("expected_order_minor", sa.BigInteger),
    sa.Column("predicted_clv_minor", sa.BigInteger),
    sa.Column("predicted_clv_low_minor", sa.BigInteger),
    sa.Column("predicted_clv_high_minor", sa.BigInteger),
    sa.Column("total_clv_minor", sa.BigInteger),
    sa.Column("expected_date_of_next_order", sa.Date),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("stage_since", _moment, nullable=False),
)

#: What the facts were, from one change that counts to the next.
customer_facts_history = sa.Table(
    "customer_facts_history",
    metadata,
    sa.Column("customer_id", sa.Uuid, primary_key=True),
    sa.Column("as_of", _moment, primary_key=True),
    sa.Column("refresh_id", sa.Uuid, nullable=False),
    sa.Column("currency", sa.Text),
    sa.Column("orders", sa.Integer, nullable=False),
    sa.Column("gross_minor", sa.BigInteger, nullable=False),
    sa.Column("refunds_minor", sa.BigInteger, nullable=False),
    sa.Column("historic_clv_minor", sa.BigInteger, nullable=False),
    sa.Column("r_score", sa.SmallInteger),
    sa.Column("f_score", sa.SmallInteger),
    sa.Column("m_score", sa.SmallInteger),
    sa.Column("rfm_group", sa.Text),
    sa.Column("value_group", sa.Text),
    sa.Column("p_alive", sa.Double),
    sa.Column("predicted_clv_minor", sa.BigInteger),
    sa.Column("stage", sa.Text),
)
