"""Statistics on recorded rows: pure functions, no I/O. Every figure travels with its n and its interval."""
