"""People at a terminal: the only place that prints."""
