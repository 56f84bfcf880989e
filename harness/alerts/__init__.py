"""Alert rules as data: evaluated on the store, shown, exported."""
