"""Partners are told that something waits for them: by e-mail with a link to answer, or by webhook to their own system.

What is guaranteed: for each step of a referral that a partner has heard of, each of its channels gets one notice, whatever crashes, because
notices follow from the stored referrals and not from a moment (`watching`), and their ids from what they tell. A notice is sent at least
once, under an id that stays the same (`sending`). Nothing personal is in any: ids, codes and days.
"""
