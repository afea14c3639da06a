"""What only a running Apache Kafka can show (`make test-kafka`)."""
