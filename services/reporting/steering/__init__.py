"""The county's action plan: fields of action, goals, measures, and how far they have come.

`plans` holds what the county documents publish, `model` what a plan is made of, `keeping` who may change what and what is remembered of it,
`attainment` whether a goal is reached, `report` the progress report. Nothing is overwritten: each change is kept with who and when.
"""
