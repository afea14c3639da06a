"""Referral: the right free place, held, explained, and never dropped.

Owns      the offers of the partners with their seats; the search for a place for each confirmed need; the referrals and their steps.
Consumes  from intake: arrival, correction, move, consent and erasure; from profiling: profiles and needs.
Emits     OfferPublished, OfferCapacityChanged, ReferralProposed, -Released, -Agreed, -Refused, -Accepted, -Declined, -Lapsed, -Cancelled,
          -Closed, and NeedWaiting.
Used by   partners (their offers, their inbox), counsellors of the migration centre, network coordinators (offers), operators (books).

A round proposes, or a counsellor by hand: a seat is held for a need. The counsellor releases, the person agrees, the partner accepts.
Whoever says no or nothing frees the seat, and the need waits for the next best one; never more people than seats.
"""
