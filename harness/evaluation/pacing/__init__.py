"""When an attempt may start: rate limits, windows, workers."""
