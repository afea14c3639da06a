"""A made-up county: its newcomers, its offices' files and its partners, from published figures and named assumptions.

What is generated depends on nothing but county, year, number of people and seed: the same on every machine, whatever is asked for first.
`county.generate` is the door; `files` writes what the offices hand over, `conduct` says how people and partners will answer. All people
are made up. The package uses `schemas` and no service: it meets the services only at their own doors, as everybody does.
"""
