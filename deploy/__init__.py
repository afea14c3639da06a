"""How the system is put on machines. `deploy.cli` is the `wegenetz` command, `deploy.embedded` one machine without Docker."""
