"""What the services tell each other, and nothing else.

The envelope of every message (`envelope`), the closed code lists (`codes`), the events (`events`), the topics and who
reads them (`topics`). Services import this package and `services.runtime`, never one another.
"""
