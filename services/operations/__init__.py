"""Operations: the room of those who run the system. No personal data is anywhere in it.

Owns: the spans of the embedded profile, and what the services' metrics said over the last day; both bounded, in files of its own.
Consumes and emits: nothing. It reads the other services' health, metrics and operators' doors, and acts through those doors under the
right of the operator who is signed in, so that the audit names that person.
Needs neither the database nor the broker: it is there to be looked at when one of them is not.
Used by: operators.
"""
