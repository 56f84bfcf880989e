"""PASS, FAIL or INCONCLUSIVE, and why."""
