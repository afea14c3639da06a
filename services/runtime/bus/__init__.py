"""The broker: records in, events out. The only package that knows Kafka, FastStream and aiokafka."""

from services.runtime.bus.consuming import Consumer
from services.runtime.bus.positions import Positions
from services.runtime.bus.sending import Producer
from services.runtime.bus.topics import Agreed, Topic, TopicChange, TopicRefused, apply_topics, nodes_that_answer

__all__ = [
    "Agreed",
    "Consumer",
    "Positions",
    "Producer",
    "Topic",
    "TopicChange",
    "TopicRefused",
    "apply_topics",
    "nodes_that_answer",
]
