"""Apache Kafka itself on this machine: its jars through Maven, one node or three that agree by KRaft, and no installation."""
