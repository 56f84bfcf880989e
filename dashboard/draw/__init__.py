"""Charts, cards, graphs and tables, and the words on them."""
