"""Load scenarios (locustfiles), briefs, suites and strategies."""
