"""The directory of the network: partners with their sites, contacts and agreements, and the services they offer.

Offers (`services.referral.offers`) stay what they are and point at a partner, and at one of its services, by code. A partner without an
entry here is none the worse for it: the county's defaults hold. What is kept here is about organisations, never about newcomers; the
people who answer for an organisation are named in no event, log or metric, since nothing here is ever announced.
"""
