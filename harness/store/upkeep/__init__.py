"""Looking after a store: inspect, repair, prune."""
