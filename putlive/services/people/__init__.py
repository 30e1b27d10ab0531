"""Who may do what: accounts, users, logins, throttling, the first run."""
