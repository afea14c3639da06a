"""The whole system on one machine with nothing to install: broker, database and services as processes of one supervisor.

For tests and for trying out. `Engines` is the broker and the database alone, `Embedded` everything. Both keep what they
write in one folder that they are given, listen on the loopback address only, and leave no process behind, however they end.
"""
