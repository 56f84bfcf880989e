"""`harness runs`: list, show, publish, re-price and prune."""
