"""Settings, engines and the lake: what the rooms run on. Knows ``insight`` and ``base``."""
