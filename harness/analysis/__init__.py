"""Pure statistics: no file, no network, no store; every figure with its n and interval."""
