"""The features that runs have kept on disk."""

from __future__ import annotations

from ftcore.engine.features.store import FeatureStore


def feature_cache() -> FeatureStore:
    """Return the store of kept features: its folder, its limit, its entries, and what removes them.

    ConfigError where FTCORE_CACHE_LIMIT is no size.
    """
    return FeatureStore.from_environment()
