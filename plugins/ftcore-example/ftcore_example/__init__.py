"""One plugin of each kind for ftcore: it counts dots."""
