"""Intake: from the registry office's counter to a case with an appointment.

**Owns** who a person is: names and contact, encrypted per person, here and nowhere else; the case with its coded facts and consents; the
slots of the first talks; who may read a person's contact, and the record of each reading.

**Consumes** from referral: accepted, cancelled and closed referrals, which begin and end a partner's right to read.

**Emits** `schemas.events`, section intake: arrivals registered or only counted, appointments booked and released, persons corrected,
moved and erased, consents given and withdrawn.

**Used by** clerks (file, JSON), counsellors, partners (contact of the persons referred to them), data protection officers and operators.
The other services know cases by random id and coded facts only.
"""
