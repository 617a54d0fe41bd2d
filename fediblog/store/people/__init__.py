"""Who there is: accounts and their keys, logins, apps, servers, and who is what to whom."""
