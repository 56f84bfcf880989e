"""Open-loop load through Locust, in a subprocess, every request recorded."""
