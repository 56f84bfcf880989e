"""A loopback stand-in for the providers that keeps the truth of what it did."""
