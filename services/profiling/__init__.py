"""Profiling: the first talk, what a person needs, and the plan that is agreed with them.

Owns      the profiles with all their versions, the guideline, the rules of need, the needs and the orientation plan of each case.
Consumes  from intake: arrival, correction, move, appointment, consent and erasure; from referral: every step of a referral.
Emits     ProfileRecorded, AccessNeedsTold, NeedConfirmed, NeedWithdrawn.
Used by   counsellors of the migration centre; municipal social workers for the cases of their place; operators for the books.

Talks are interrupted and completed later, events come in any order, and consents end: a case can be worked on when it has arrived, the
person lives in the county and their transfer consent stands. What comes before is kept until then.
"""
