"""What a call costs: price book, usage to Decimal USD, budgets that reserve the worst case."""
