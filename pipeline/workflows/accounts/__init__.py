"""Who may do what: accounts, logins, sessions, the policy."""
