"""The database: SQLite, its migrations, and one repository per table."""
