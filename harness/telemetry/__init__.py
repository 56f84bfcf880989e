"""Where completed events go: JSONL, DogStatsD, OpenTelemetry, Prometheus, the store."""
