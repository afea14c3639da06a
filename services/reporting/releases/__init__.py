"""Releases: what of the counts is published, when, and for ever. Nothing else that is a figure leaves the service."""
