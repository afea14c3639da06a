"""The catalogue of releases in DCAT-AP.de 3.0, as JSON-LD and as Turtle: what portals harvest."""
