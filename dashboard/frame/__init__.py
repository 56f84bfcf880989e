"""What every page stands in: the store, the filters, the scope, the states."""
