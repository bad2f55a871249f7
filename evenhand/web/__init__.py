"""The local pages: a server for this machine alone, and what it shows."""
