"""Dataset x strategies x repeats: graded, priced and timed records."""
