"""The coordinator's pages: the directory, what in it should be looked at, reading in a file, and who waits for what.

They show organisations and counts, and nobody who seeks help.
"""
