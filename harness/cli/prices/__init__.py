"""`harness prices`: list, show and check the prices of models."""
