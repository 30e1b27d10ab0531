"""HTTP in: the only importer of the web framework."""
