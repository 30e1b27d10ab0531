"""The tables of the database, one repository each."""
