"""The services of Wegenetz and the runtime they stand on. A service imports `schemas` and `services.runtime`, never another service."""
