"""Reporting: what was done for how many people, and never for whom.

Owns: the coded facts of each person, of each anonymous count and of each offer, as far as they may be counted; and the counts that
follow from them, as declared in `tables.yaml`.
Consumes: every event of intake, profiling and referral.
Emits: nothing yet (`reporting.releases.v1` is for published releases).
Used by: operators only, until released figures exist; then whoever wants to know.
"""
