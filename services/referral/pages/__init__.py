"""The pages of referral: the partners' inbox, their offers and courses, and the links by which partners without a system answer.

They read through the functions of the JSON API and act through the same commands; nothing is decided here.
"""
