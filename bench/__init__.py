"""Repeatable measurements of a whole running station, against budgets; `./dev bench` runs them."""
