"""The ten segments of ``segments.py``: of five to eight conditions, nested, and the same in SQL written by hand."""

from __future__ import annotations

from typing import Any


def last(days: int) -> dict[str, Any]:
    return {"when": "last", "span": {"n": days, "unit": "days"}}


def did(what: dict[str, Any], op: str, n: int, days: int | None = None) -> dict[str, Any]:
    window = {"when": "ever"} if days is None else last(days)
    return {"node": "did", "what": what, "times": {"op": op, "values": [n]}, "window": window}


def seen(name: str, **where: Any) -> dict[str, Any]:
    tests = [{"name": one, "test": test} for one, test in where.items()]
    return {"of": "facts", "kind": "track", "name": name, "where": tests}


def figure(name: str, op: str, *values: Any) -> dict[str, Any]:
    return {"node": "figure", "name": name, "test": {"op": op, "values": list(values)}}


def measured(what: dict[str, Any], of: str, by: str, op: str, *values: Any, days: int | None = None) -> dict[str, Any]:
    window = {"when": "ever"} if days is None else last(days)
    return {
        "node": "measured",
        "what": what,
        "of": of,
        "by": by,
        "test": {"op": op, "values": list(values)},
        "window": window,
    }


def every(*of: dict[str, Any]) -> dict[str, Any]:
    return {"node": "all", "of": list(of)}


def some(*of: dict[str, Any]) -> dict[str, Any]:
    return {"node": "any", "of": list(of)}


def none(*of: dict[str, Any]) -> dict[str, Any]:
    return {"node": "none", "of": list(of)}


ORDERS: dict[str, Any] = {"of": "orders"}
WEB, STORE = {"of": "orders", "channels": ["web"]}, {"of": "orders", "channels": ["store"]}
VIP = {"node": "tag", "tag": "VIP"}
PHONE, ACCOUNT = {"node": "identity", "kind": "phone"}, {"node": "identity", "kind": "user_id"}
IN_TOWN = {"node": "attribute", "name": "city", "test": {"op": "is", "values": ["杭州"]}}
GOODS = {"of": "orders", "goods": {"products": [f"p{number}" for number in range(100, 120)]}}
DEAR = {"price": {"op": "at_least", "values": [400]}}
CART = {
    "node": "sequence",
    "window": last(60),
    "steps": [
        {"what": seen("Product Added")},
        {
            "what": seen("Cart Viewed"),
            "within": {"n": 7, "unit": "days"},
            "unless": {"what": ORDERS, "within": {"n": 1, "unit": "days"}},
        },
    ],
}
AFTER = {"when": "after", "which": "last", "what": ORDERS}
LOOKED_AFTER = {
    "node": "did",
    "what": seen("Product Viewed"),
    "times": {"op": "at_least", "values": [2]},
    "window": AFTER,
}

DEFINITIONS: dict[str, dict[str, Any]] = {
    "looked, and bought nothing": every(
        did(seen("Product Viewed"), "at_least", 3, 30),
        did(seen("Product Added"), "at_least", 1, 30),
        did(ORDERS, "is", 0, 30),
        did(ORDERS, "at_least", 1),
        PHONE,
    ),
    "dear, and leaving": every(
        VIP,
        figure("stage", "is", "at_risk", "lost"),
        figure("historic_clv_minor", "at_least", 50_000),
        did(seen("Product Viewed"), "is", 0, 60),
        IN_TOWN,
    ),
    "buys on the web": every(
        did(WEB, "at_least", 2, 365),
        measured(ORDERS, "amount_minor", "average", "between", 5_000, 30_000),
        did(STORE, "is", 0, 180),
        figure("churn_probability", "less", 0.5),
        did(seen("Products Searched"), "at_least", 1, 90),
    ),
    "left a cart": every(CART, VIP, ACCOUNT, some(did(ORDERS, "at_least", 1), IN_TOWN), none(did(WEB, "more", 9))),
    "of one shelf": every(
        did(GOODS, "at_least", 1),
        measured(GOODS, "quantity", "sum", "at_least", 3),
        did(ORDERS, "at_least", 1, 365),
        did(seen("Product Viewed", **DEAR), "at_least", 2),
        none(figure("stage", "is", "lost")),
    ),
    "twice, then dear": every(
        figure("orders", "is", 2),
        measured(ORDERS, "amount_minor", "greatest", "more", 20_000),
        some(did(WEB, "is", 2), did(STORE, "is", 2)),
        did(seen("Cart Viewed"), "at_least", 1, 180),
        VIP,
    ),
    "the dearest who look around": every(
        {"node": "top", "by": "total_clv_minor", "percent": 10},
        measured(seen("Product Viewed"), "product_id", "distinct", "at_least", 5, days=180),
        figure("stage", "is_not", "lost"),
        did(ORDERS, "at_least", 2),
        PHONE,
    ),
    "lookers without an order": every(
        did(ORDERS, "is", 0),
        some(
            did(seen("Product Viewed"), "at_least", 5, 180),
            every(did(seen("Product Added"), "at_least", 1, 90), did(seen("Cart Viewed"), "at_least", 1, 90)),
        ),
        IN_TOWN,
        ACCOUNT,
    ),
    "not any of these": every(
        none(
            did(ORDERS, "at_least", 1, 90),
            did(seen("Product Added"), "at_least", 1, 30),
            figure("churn_probability", "more", 0.9),
        ),
        did(ORDERS, "at_least", 1),
        VIP,
        measured(ORDERS, "amount_minor", "sum", "at_least", 10_000),
    ),
    "came back to look": every(
        LOOKED_AFTER,
        figure("last_order_at", "last_days", 180),
        figure("historic_clv_minor", "at_least", 10_000),
        VIP,
        did(seen("Cart Viewed"), "is", 0, 30),
    ),
}

# The moments at which days begin, counted back from today.
BY_HAND: dict[str, str] = {
    "looked, and bought nothing": """
        SELECT p.customer_id FROM people p
        JOIN (
            SELECT customer_id, count(*) FILTER (WHERE name = 'Product Viewed') AS viewed,
                count(*) FILTER (WHERE name = 'Product Added') AS added
            FROM facts WHERE kind = 'track' AND name IN ('Product Viewed', 'Product Added')
                AND us BETWEEN {d30} AND {now} GROUP BY ALL
        ) f USING (customer_id)
        JOIN (
            SELECT customer_id, count(*) FILTER (WHERE us BETWEEN {d30} AND {now}) AS lately FROM orders GROUP BY ALL
        ) o USING (customer_id)
        WHERE viewed >= 3 AND added >= 1 AND lately = 0
            AND customer_id IN (SELECT customer_id FROM identities WHERE kind = 'phone')
    """,
    "dear, and leaving": """
        SELECT p.customer_id FROM people p
        WHERE stage IN ('at_risk', 'lost') AND historic_clv_minor >= 50000
            AND json_extract_string(attributes, '$.city') = '杭州'
            AND customer_id IN (
                SELECT customer_id FROM tags WHERE tag = 'VIP' AND (expires_us IS NULL OR expires_us > {now})
            )
            AND customer_id NOT IN (
                SELECT customer_id FROM facts
                WHERE kind = 'track' AND name = 'Product Viewed' AND us BETWEEN {d60} AND {now}
            )
    """,
    "buys on the web": """
        SELECT p.customer_id FROM people p
        JOIN (
            SELECT customer_id, count(*) FILTER (WHERE channel = 'web' AND us BETWEEN {d365} AND {now}) AS web,
                count(*) FILTER (WHERE channel = 'store' AND us BETWEEN {d180} AND {now}) AS store,
                sum(amount_minor) / count(*) AS mean
            FROM orders GROUP BY ALL
        ) o USING (customer_id)
        WHERE web >= 2 AND store = 0 AND mean BETWEEN 5000 AND 30000 AND churn_probability < 0.5
            AND customer_id IN (
                SELECT customer_id FROM facts
                WHERE kind = 'track' AND name = 'Products Searched' AND us BETWEEN {d90} AND {now}
            )
    """,
    "left a cart": """
        WITH rows AS (
            SELECT customer_id, us, name FROM facts
            WHERE kind = 'track' AND name IN ('Product Added', 'Cart Viewed') AND us >= {d60}
            UNION ALL SELECT customer_id, us, 'order' FROM orders WHERE us >= {d60}
        ), good AS (
            SELECT customer_id, us, name,
                max((name = 'Product Added' AND us <= {now})::int) OVER (
                    PARTITION BY customer_id ORDER BY us RANGE BETWEEN 604800000000 PRECEDING AND 1 PRECEDING
                ) AS added,
                max((name = 'order')::int) OVER (
                    PARTITION BY customer_id ORDER BY us RANGE BETWEEN 1 FOLLOWING AND 86400000000 FOLLOWING
                ) AS ordered
            FROM rows
        )
        SELECT p.customer_id FROM people p
        LEFT JOIN (
            SELECT customer_id, count(*) AS orders, count(*) FILTER (WHERE channel = 'web') AS web
            FROM orders GROUP BY ALL
        ) o USING (customer_id)
        WHERE customer_id IN (
                SELECT customer_id FROM good
                WHERE name = 'Cart Viewed' AND added = 1 AND coalesce(ordered, 0) = 0 AND us <= {now} - 86400000000
            )
            AND customer_id IN (
                SELECT customer_id FROM tags WHERE tag = 'VIP' AND (expires_us IS NULL OR expires_us > {now})
            )
            AND customer_id IN (SELECT customer_id FROM identities WHERE kind = 'user_id')
            AND (o.orders >= 1 OR json_extract_string(attributes, '$.city') = '杭州') AND coalesce(web, 0) <= 9
    """,
    "of one shelf": """
        SELECT p.customer_id FROM people p
        JOIN (
            SELECT customer_id, sum(quantity) AS pieces FROM lines
            WHERE product_id IN ({shelf}) GROUP BY ALL
        ) l USING (customer_id)
        JOIN (
            SELECT customer_id, count(*) AS viewed FROM facts
            WHERE kind = 'track' AND name = 'Product Viewed'
                AND TRY_CAST(json_extract_string(properties, '$.price') AS double) >= 400 GROUP BY ALL
        ) f USING (customer_id)
        WHERE pieces >= 3 AND viewed >= 2 AND stage <> 'lost'
            AND customer_id IN (SELECT customer_id FROM orders WHERE us BETWEEN {d365} AND {now})
    """,
    "twice, then dear": """
        SELECT p.customer_id FROM people p
        JOIN (
            SELECT customer_id, max(amount_minor) AS most, count(*) FILTER (WHERE channel = 'web') AS web,
                count(*) FILTER (WHERE channel = 'store') AS store
            FROM orders GROUP BY ALL
        ) o USING (customer_id)
        WHERE p.orders = 2 AND most > 20000 AND (web = 2 OR store = 2)
            AND customer_id IN (
                SELECT customer_id FROM tags WHERE tag = 'VIP' AND (expires_us IS NULL OR expires_us > {now})
            )
            AND customer_id IN (
                SELECT customer_id FROM facts
                WHERE kind = 'track' AND name = 'Cart Viewed' AND us BETWEEN {d180} AND {now}
            )
    """,
    "the dearest who look around": """
        WITH ranked AS (
            SELECT customer_id, row_number() OVER (ORDER BY total_clv_minor DESC, created_at, customer_id) AS place,
                count(*) OVER () AS known
            FROM people WHERE total_clv_minor IS NOT NULL
        )
        SELECT p.customer_id FROM people p
        JOIN (
            SELECT customer_id, count(DISTINCT json_extract_string(properties, '$.product_id')) AS goods FROM facts
            WHERE kind = 'track' AND name = 'Product Viewed' AND us BETWEEN {d180} AND {now} GROUP BY ALL
        ) f USING (customer_id)
        JOIN (SELECT customer_id, count(*) AS n FROM orders GROUP BY ALL) o USING (customer_id)
        WHERE goods >= 5 AND n >= 2 AND stage <> 'lost'
            AND customer_id IN (SELECT customer_id FROM ranked WHERE (place - 1) * 10 < known)
            AND customer_id IN (SELECT customer_id FROM identities WHERE kind = 'phone')
    """,
    "lookers without an order": """
        SELECT p.customer_id FROM people p
        JOIN (
            SELECT customer_id, count(*) FILTER (WHERE name = 'Product Viewed') AS viewed,
                count(*) FILTER (WHERE name = 'Product Added' AND us >= {d90}) AS added,
                count(*) FILTER (WHERE name = 'Cart Viewed' AND us >= {d90}) AS carts
            FROM facts
            WHERE kind = 'track' AND name IN ('Product Viewed', 'Product Added', 'Cart Viewed')
                AND us BETWEEN {d180} AND {now}
            GROUP BY ALL
        ) f USING (customer_id)
        WHERE (viewed >= 5 OR (added >= 1 AND carts >= 1))
            AND customer_id NOT IN (SELECT customer_id FROM orders)
            AND json_extract_string(attributes, '$.city') = '杭州'
            AND customer_id IN (SELECT customer_id FROM identities WHERE kind = 'user_id')
    """,
    "not any of these": """
        SELECT p.customer_id FROM people p
        JOIN (
            SELECT customer_id, sum(amount_minor) AS spent, count(*) FILTER (WHERE us BETWEEN {d90} AND {now}) AS lately
            FROM orders GROUP BY ALL
        ) o USING (customer_id)
        WHERE lately = 0 AND spent >= 10000 AND NOT coalesce(churn_probability > 0.9, false)
            AND customer_id NOT IN (
                SELECT customer_id FROM facts
                WHERE kind = 'track' AND name = 'Product Added' AND us BETWEEN {d30} AND {now}
            )
            AND customer_id IN (
                SELECT customer_id FROM tags WHERE tag = 'VIP' AND (expires_us IS NULL OR expires_us > {now})
            )
    """,
    "came back to look": """
        SELECT p.customer_id FROM people p
        JOIN (
            SELECT customer_id, count(*) AS looked
            FROM facts JOIN (SELECT customer_id, max(us) AS ordered FROM orders GROUP BY ALL) o USING (customer_id)
            WHERE kind = 'track' AND name = 'Product Viewed' AND us > ordered GROUP BY ALL
        ) f USING (customer_id)
        WHERE looked >= 2 AND last_order_at >= {d180} AND last_order_at < {tomorrow} AND historic_clv_minor >= 10000
            AND customer_id IN (
                SELECT customer_id FROM tags WHERE tag = 'VIP' AND (expires_us IS NULL OR expires_us > {now})
            )
            AND customer_id NOT IN (
                SELECT customer_id FROM facts
                WHERE kind = 'track' AND name = 'Cart Viewed' AND us BETWEEN {d30} AND {now}
            )
    """,
}
