"""Every number of the simulation that no county published. Published ones are in `data/published_figures.yaml`.

Each constant says its unit in brackets and why it has this value. None of them is a finding: they make a plausible county to try the
services on, and are to be replaced by a county's own figures where it has them. A test holds that no assumption is unused and that no
other file of the generator brings in shares of its own. (Tables are laid out by hand; the formatter keeps out.)

Groups of newcomers: `eu`, `third` (other third countries), `refugee` (protection seekers), the split of the published figures.
"""

# fmt: off

from __future__ import annotations

from typing import Final, NamedTuple

from schemas.codes import (
    Accessibility,
    BenefitRegime,
    Cefr,
    Daypart,
    DeclineReason,
    FailReason,
    Literacy,
    Outcome,
    RejectReason,
    ServiceKind,
    Sex,
    Way,
    Weekday,
)

# --- where and when people arrive -------------------------------------------------------------------------------------

STANDARD_COUNTY: Final = "03459"
"""[county key] Its published figures stand in for what another county did not publish: it published most."""

EQUAL_POPULATION_OF_DISTRICTS: Final = 1.0
"""[weight of each district] Only the county's population is published, so every district counts as equally large."""

EQUAL_MUNICIPALITIES_OF_A_DISTRICT: Final = 1.0
"""[weight of each municipality] Nothing is published below the registry office."""

FOREIGN_SHARE_ORDER: Final = "made-up order"
"""[salt of a hash] Which district has the lowest and which the highest published foreign share is not said; a hash decides."""

MONTH_WEIGHTS: Final = (1.05, 0.85, 1.0, 1.0, 1.0, 0.95, 1.0, 1.15, 1.2, 1.1, 0.95, 0.75)
"""[relative arrivals per day, January to December] Harvests, terms and the start of the training year; few at Christmas."""

DAYS_UNTIL_REGISTERED: Final = (0, 14)
"""[days after moving in] Section 17 of the registration act gives two weeks; offices open Monday to Friday."""

WAYS_IN: Final = {Way.OFFICE_FILE: 0.88, Way.OFFICE_API: 0.08, Way.CENTRE: 0.04}
"""[share of people] Most offices send files, a few software makers use the interface, some people walk in at the centre."""

PREVIOUSLY_IN_GERMANY: Final = {"eu": 0.04, "third": 0.06, "refugee": 0.3}
"""[share of people] Direct entries are meant to come from abroad, but refugees passed a state's reception centre first."""

ORIGIN_NOT_TOLD: Final = 0.03
"""[share of people] Clerks skip a box now and then."""

DAYS_IN_GERMANY_BEFORE: Final = (10, 330)
"""[days] Those who were elsewhere in Germany were there for less than a year (definition of indicator 5.1)."""

# --- who they are -----------------------------------------------------------------------------------------------------

CITIZENSHIPS: Final[dict[str, dict[str, float]]] = {
    "eu": {
        "152": 34, "154": 28, "125": 12, "165": 6, "142": 4, "137": 3.5, "130": 3, "153": 2, "161": 2, "134": 2, "139": 1.2,
        "155": 1, "164": 0.7, "148": 3, "124": 0.3, "129": 0.5, "168": 0.8,
    },
    "third": {
        "163": 15, "150": 9, "170": 9, "144": 7, "122": 5, "121": 6, "166": 6, "160": 7, "146": 3, "436": 5, "479": 4,
        "368": 3, "327": 3, "349": 1.5, "432": 3, "476": 3, "252": 4, "430": 2, "133": 0.8, "120": 0.6, "159": 0.4, "238": 2,
        "999": 0.3,
    },
    "refugee": {
        "475": 42, "438": 14, "423": 14, "439": 7, "224": 6, "273": 4, "277": 3, "231": 3, "461": 3, "232": 2, "997": 1.2,
        "998": 0.8,
    },
}
"""[weight of a Destatis key within its group] Shaped after arrivals of the years 2014 to 2017 in general; 168 was still EU."""

SECOND_CITIZENSHIP: Final = 0.015
"""[share of people] A second foreign citizenship, taken from the same group."""

CITIZENSHIP_NOT_ENTERED: Final = 0.01
"""[share of people] The cell is empty: papers are still being looked at."""

AGE_BANDS: Final[dict[str, dict[tuple[int, int], float]]] = {
    "eu": {(0, 6): 7, (6, 16): 9, (16, 25): 19, (25, 35): 31, (35, 45): 19, (45, 55): 11, (55, 67): 3.5, (67, 90): 0.5},
    "third": {(0, 6): 9, (6, 16): 11, (16, 25): 21, (25, 35): 32, (35, 45): 15, (45, 55): 7, (55, 67): 3.5, (67, 90): 1.5},
    "refugee": {(0, 6): 13, (6, 16): 18, (16, 25): 27, (25, 35): 24, (35, 45): 11, (45, 55): 4.5, (55, 67): 2, (67, 90): 0.5},
}
"""[weight of ages from, below] Young; the largest groups between 25 and 45 as another county published for its stock."""

SEX_OTHER: Final[dict[Sex | None, float]] = {Sex.DIVERS: 0.001, Sex.NONE: 0.001, None: 0.008}
"""[share of people] Rare entries and empty cells; the rest is split as the county of Heidekreis published for its stock."""

MAIN_LANGUAGE: Final = 0.8
"""[share of people] Speak the most usual language of their citizenship; the others one of its further languages."""

SECOND_LANGUAGE: Final = 0.35
"""[share of people] Speak another language too: one of the same country, or English."""

LANGUAGE_NOT_TOLD: Final = 0.04
"""[share of people] Languages are a voluntary statement."""

NAME_OF_WOMEN_WITHOUT_SEX: Final = 0.5
"""[share of those whose entry has neither female nor male] Carry a given name from the list of women."""

BIRTH_DATE_PARTIAL: Final = {"eu": 0.002, "third": 0.01, "refugee": 0.06}
"""[share of people] Papers of some states give only a year, or a year and a month."""

BIRTH_MONTH_KNOWN: Final = 0.3
"""[share of partial birth dates] The month is known, only the day is not."""

BIRTH_DATE_NOT_TOLD: Final = 0.003
"""[share of people] The cell is empty: the papers are still on their way."""

SINGLE_NAME: Final = 0.12
"""[share of speakers of languages with single names] One name only, as some passports show."""

SECOND_GIVEN_NAME: Final = 0.3
"""[share of people] Two given names, as in many passports; a guess over all languages."""

DOUBLE_FAMILY_NAME: Final = 0.04
"""[share of people] Two family names joined by a hyphen, where it is not the custom anyway."""

HAS_PHONE: Final = 0.82
"""[share of people] Give a telephone number; numbers are those kept free for films by the Bundesnetzagentur."""

HAS_EMAIL: Final = 0.55
"""[share of people] Give an e-mail address; all are in example.org."""

RESIDENCE_GROUP_TOLD: Final = 0.35
"""[share of people] The person or the foreigners authority told it; the registry office has it not of its own."""

WELCOME_PACKAGE: Final = 0.9
"""[share of people] Handed over at the counter; the rest is out of stock or declined."""

RESIDENCE_OF_THIRD: Final = {"third-country-work": 0.34, "third-country-family": 0.5, "other": 0.16}
"""[share of other third-country adults] Family is the most usual reason, then work; children come with their family."""

# --- consent ----------------------------------------------------------------------------------------------------------

CONSENT_REFUSED: Final = 0.09
"""[share of people] Refuse at the counter; a normal outcome. Nobody counted it yet."""

CONSENT_IN_OWN_LANGUAGE: Final = 0.85
"""[share of people] Asked in a language they told; the others in German, with somebody who explained."""

CONSENT_TEXT: Final = "2016-1"
"""[version] The text that all offices of the simulation show."""

PURPOSE_AGREED: Final = 0.94
"""[share of people, for each purpose] Agree in the first talk to passing data to one kind of partner."""

# --- what the first talk finds out ------------------------------------------------------------------------------------

GERMAN_LEVEL: Final[dict[str, dict[Cefr, float]]] = {
    "eu": {Cefr.A0: 48, Cefr.A1: 24, Cefr.A2: 14, Cefr.B1: 8, Cefr.B2: 4, Cefr.C1: 1.5, Cefr.C2: 0.5},
    "third": {Cefr.A0: 38, Cefr.A1: 34, Cefr.A2: 14, Cefr.B1: 8, Cefr.B2: 4, Cefr.C1: 1.5, Cefr.C2: 0.5},
    "refugee": {Cefr.A0: 66, Cefr.A1: 21, Cefr.A2: 9, Cefr.B1: 3, Cefr.B2: 1},
}
"""[weight of a level in speaking] Most start from nothing; spouses from third countries had to show A1."""

GERMAN_SKILL_DIFFERS: Final = 0.3
"""[share of people, for listening, reading and writing each] One level away from speaking; writing is never above it."""

LITERACY: Final[dict[str, dict[Literacy, float]]] = {
    "eu": {Literacy.NOT_LITERATE: 0.03, Literacy.LITERATE: 0.97},
    "third": {Literacy.NOT_LITERATE: 0.05, Literacy.LITERATE: 0.95},
    "refugee": {Literacy.NOT_LITERATE: 0.15, Literacy.LITERATE: 0.85},
}
"""[share of people from 7 years] Can read and write in some language."""

LATIN_SCRIPT_TO_LEARN: Final = 0.4
"""[share of those who write another script] Do not yet read Latin letters."""

READS_FROM_AGE: Final = 7
"""[years] Younger children are not asked about reading."""

ADULT_FROM_AGE: Final = 16
"""[years] From here the talk asks for work, qualification and benefits; schooling is compulsory before."""

CHILDREN_IN_HOUSEHOLD: Final[dict[int, float]] = {0: 58, 1: 19, 2: 14, 3: 6, 4: 3}
"""[weight of a number of children, adults of those ages] Many come alone to work and send for their family later."""

PARENT_AGES: Final = (20, 50)
"""[years] Adults of these ages may have children at home."""

CHILD_AGES: Final = (0, 15)
"""[years] Ages of children in the household, all alike."""

PARENT_AT_LEAST_OLDER: Final = 18
"""[years] Between a parent and a child."""

CHILD_CARE_BELOW: Final = 6
"""[years] Younger children need somebody to look after them during a course."""

WORKS: Final = {"eu": 0.62, "third": 0.3, "refugee": 0.04}
"""[share of adults] Have work when they come to the talk: most EU citizens come for it."""

BENEFITS: Final[dict[str, dict[BenefitRegime, float]]] = {
    "eu": {BenefitRegime.NONE: 88, BenefitRegime.SGB_II: 8, BenefitRegime.SGB_III: 4},
    "third": {BenefitRegime.NONE: 70, BenefitRegime.SGB_II: 26, BenefitRegime.SGB_III: 4},
    "refugee": {BenefitRegime.ASYLBLG: 62, BenefitRegime.SGB_II: 35, BenefitRegime.NONE: 3},
}
"""[weight, those without work] Those who work count as without benefits."""

SCHOOL_YEARS: Final = {"eu": (8, 14), "third": (7, 15), "refugee": (0, 14)}
"""[years of school, all alike] Widely spread among refugees."""

SCHOOL_FROM: Final = 6
"""[years] Nobody has more years of school than years since then."""

QUALIFIED_FROM: Final = 8
"""[years of school] Who has fewer is taken to have no qualification."""

QUALIFICATION: Final = {"none": 0.48, "vocational": 0.35, "academic": 0.17}
"""[share of adults with enough years of school] The highest qualification from abroad."""

WANTS_RECOGNITION: Final = 0.55
"""[share of people with a qualification] Want it recognised in Germany."""

GOALS: Final = {
    "learn-german": 0.78, "find-work": 0.45, "training": 0.2, "school": 0.12, "meet-people": 0.35, "help-others": 0.07,
    "find-a-home": 0.22, "naturalisation": 0.04,
}
"""[share of adults, each] What people say they want; `find-work` only of those without work."""

BURDENED: Final = {"eu": 0.03, "third": 0.05, "refugee": 0.22}
"""[share of people] Say that they need somebody to talk to about what they went through."""

MOBILE: Final = 0.55
"""[share of adults] Have a car or a bus that runs in the evening; the county is rural."""

DAYPARTS_OF_WORKERS: Final = {
    Daypart.WEEKDAY_MORNING: 0.2, Daypart.WEEKDAY_AFTERNOON: 0.25, Daypart.WEEKDAY_EVENING: 0.8, Daypart.WEEKEND: 0.6,
}
"""[share of working adults, each] Shifts leave evenings and weekends; who named none is free in the evening."""

DAYPARTS_OF_OTHERS: Final = {
    Daypart.WEEKDAY_MORNING: 0.92, Daypart.WEEKDAY_AFTERNOON: 0.7, Daypart.WEEKDAY_EVENING: 0.4, Daypart.WEEKEND: 0.3,
}
"""[share of the others, each] Mornings while children are at school; who named none is free in the morning."""

# --- what else the guideline asks ---------------------------------------------------------------------------------------

KNOWS_PEOPLE: Final = {"eu": 0.5, "third": 0.7, "refugee": 0.25}
"""[share of people] Know somebody here who helps: colleagues, the spouse's family, seldom anybody."""

LOTSE_WANTED: Final = 0.3
"""[share of adults] Would like a volunteer guide; most EU citizens manage with their employer."""

HEALTH_GUIDANCE_WANTED: Final = 0.12
"""[share of people] Ask where to turn with questions about health."""

CHILD_CARE_SETTLED: Final = 0.2
"""[share of parents of small children] Have somebody who looks after them already."""

WITHOUT_PARENTS: Final = 0.15
"""[share of refugees from 14 to below 18] Came without their parents; many did in these years."""

YEARS_WORKED: Final = (0, 12)
"""[years, never more than since the sixteenth birthday] Worked before; a wide guess, since nobody published it."""

CERTIFICATE_HELD: Final = {"eu": 0.9, "third": 0.96, "refugee": 0.88}
"""[share of adults] Have a certificate for the integration course by the first talk: third-country spouses are entitled, EU citizens are
admitted on application, refugees from countries with good prospects too."""

VOCATIONAL_CERTIFICATE_HELD: Final = 0.9
"""[share of adults from B1 on] Have one for vocational German: Jobcenter and employment agency give it readily."""

CERTIFICATE_VALID: Final = (120, 730)
"""[days after registering] An entitlement holds for two years (IntV); some were given long before, and run out within the year."""

OBLIGED: Final = 0.6
"""[share of certificate holders with benefits under SGB II] Obliged by their Jobcenter; the others are entitled."""

SELF_PAYER: Final = {"eu": 0.3, "third": 0.25, "refugee": 0.02}
"""[share of adults] Would pay for a course themselves: who works can, some three euros an hour."""

ROTATING_SHIFTS: Final = 0.35
"""[share of working adults] Work rotating shifts: meat processing, logistics and care are the largest employers of newcomers here."""

ACCESS_NEEDS: Final = {
    Accessibility.STEP_FREE: 0.015, Accessibility.ACCESSIBLE_TOILET: 0.008, Accessibility.HEARING_LOOP: 0.008,
    Accessibility.SIGN_LANGUAGE: 0.002, Accessibility.LARGE_PRINT: 0.01, Accessibility.EASY_LANGUAGE: 0.01,
}
"""[share of people, each] Need it to take part; newcomers are young, so fewer than of all inhabitants."""

TALK_INTERRUPTED: Final = 0.05
"""[share of talks] End early (a child, a shift, an interpreter who has to go) and are completed another day."""

TALK_RESUMED_AFTER: Final = (5, 12)
"""[days] The next free hour of the same counsellor."""

# --- what happens to them later ---------------------------------------------------------------------------------------

NEVER_COMES: Final = 99
"""[missed appointments] Stands for a person who never comes, and never says so."""

MISSED_APPOINTMENTS: Final = {0: 0.86, 1: 0.1, 2: 0.025, NEVER_COMES: 0.015}
"""[share of people by missed appointments] Work, illness, a wrong bus; most come at once."""

INVITED_AT_MOST: Final = 3
"""[appointments] Who has missed so many is not booked again by itself; the centre writes a letter, and waits."""

CORRECTED: Final = 0.04
"""[share of people] The register or the person corrects something later."""

CORRECTIONS: Final = {"spelling": 0.4, "birth-date": 0.15, "citizenship": 0.1, "sex": 0.05, "languages": 0.2, "residence-group": 0.1}
"""[weight of a kind of correction] Names are the most usual thing to get wrong."""

CORRECTED_AFTER: Final = (20, 200)
"""[days after registering] Papers arrive later than people."""

MOVES: Final = 0.14
"""[share of people] Move within the year: first homes are seldom the last."""

MOVES_OUT: Final = 0.55
"""[share of moves] Out of the county, the others to another municipality of it."""

MOVES_AFTER: Final = (30, 300)
"""[days after registering] Any time in the first year."""

WITHDRAWS: Final = 0.02
"""[share of people] Withdraw a consent; rare, since nothing depends on giving it."""

WITHDRAWS_ALL: Final = 0.6
"""[share of withdrawals] All of it (`transfer`); the others a single purpose."""

WITHDRAWS_AFTER: Final = (20, 240)
"""[days after registering] After something happened that they did not like."""

ERASED: Final = 0.01
"""[share of people] Ask to be forgotten; rare, but often enough to see it work."""

ERASED_AFTER: Final = (70, 300)
"""[days after registering] Later than any repeated row or file of their arrival."""

# --- how referrals go -------------------------------------------------------------------------------------------------

PROPOSAL_REJECTED: Final = 0.04
"""[share of proposals] Counsellors find wrong what matching proposes, for what they know of a person and no rule asks; a guess."""

REJECT_REASONS: Final = {
    RejectReason.OFFER_UNSUITABLE: 4, RejectReason.TIME_UNSUITABLE: 2, RejectReason.PLACE_UNSUITABLE: 2,
    RejectReason.PERSON_NOT_READY: 2,
}
"""[weight of each reason] Why a counsellor does not release a proposal; a guess."""

CERTIFIED_IN_PART: Final = 0.1
"""[share of certified levels] Only one skill was passed at this level, mostly speaking or reading; a guess."""

COUNSELLOR_RELEASES_AFTER: Final = (0, 3)
"""[days] A counsellor releases a proposed referral within a few days."""

PERSON_ANSWERS: Final = {"agrees": 0.88, "refuses": 0.07, "silent": 0.05}
"""[share of referrals put to a person] Most take what is offered."""

PERSON_ANSWERS_AFTER: Final = (0, 5)
"""[days] Time to ask the family and the employer."""

PARTNER_ANSWERS: Final = {"accepts": 0.82, "declines": 0.11, "silent": 0.07}
"""[share of referrals put to a partner] Seats were counted before, so most accept."""

PARTNERS_DIFFER: Final = (0.5, 1.8)
"""[factor on declines and silence] Some partners answer well, some badly: each has its own factor."""

PARTNER_ANSWERS_AFTER: Final = (0, 9)
"""[days] Volunteers answer in the evening, authorities in the next week."""

DECLINE_REASONS: Final = {
    DeclineReason.PROVIDER_FULL: 0.35, DeclineReason.PROVIDER_CANCELLED: 0.1, DeclineReason.PERSON_NOT_ELIGIBLE: 0.2,
    DeclineReason.PERSON_NOT_REACHED: 0.2, DeclineReason.LOGISTICS_TIME: 0.1, DeclineReason.LOGISTICS_DISTANCE: 0.05,
}
"""[weight of a reason] Full because somebody was taken in from elsewhere is the most usual."""

AGREED_IN_ADVANCE: Final = {"ask-again": 0.75, "same-partner": 0.1, "same-kind": 0.15}
"""[share of those who agree] What else they agree to without being asked again; most want to be asked, and so it is without a word."""

PARTNER_OPENS_FIRST: Final = 0.4
"""[share of referrals that a partner answers] Opened on an earlier day than answered, by offices that decide in a meeting."""

FIRST_DAY_AGREED: Final = 0.5
"""[share of accepted referrals] The partner tells the first appointment or the start at once; the others write to the person alone."""

FIRST_APPOINTMENT_AFTER: Final = (2, 20)
"""[days after acceptance] Of standing services; courses begin on their day."""

COURSE_OF_THINGS: Final = {"completes": 0.81, "fails": 0.16, "called-off": 0.03}
"""[share of accepted referrals] Some leave before the end (work, a move, a child, illness), and seldom the partner calls it off."""

DOES_NOT_COME: Final = 0.12
"""[share of those who began] Miss it once, so that the partner reports it; who stays comes again."""

COMES_AGAIN_AFTER: Final = (2, 10)
"""[days] The next or the next but one appointment."""

FAIL_REASONS: Final = {
    FailReason.PERSON_TOOK_WORK: 0.3, FailReason.PERSON_STOPPED: 0.2, FailReason.PERSON_NOT_REACHED: 0.2,
    FailReason.PERSON_ILL: 0.1, FailReason.LOGISTICS_TIME: 0.08, FailReason.LOGISTICS_CHILD_CARE: 0.07,
    FailReason.LOGISTICS_DISTANCE: 0.03, FailReason.PROVIDER_EXCLUDED: 0.02,
}
"""[weight of a reason] Shifts and new work are what course teachers name first."""

OUTCOME_WEIGHTS: Final = {
    Outcome.LEVEL_A1: 1, Outcome.LEVEL_A2: 3, Outcome.LEVEL_B1: 5, Outcome.LEVEL_B2: 3, Outcome.LEVEL_C1: 1, Outcome.ATTENDED: 1,
    Outcome.ADVICE_GIVEN: 6, Outcome.SUPPORT_GIVEN: 8, Outcome.PASSED_ON: 2, Outcome.APPLIED: 2,
    Outcome.FULLY_RECOGNISED: 2, Outcome.PARTLY_RECOGNISED: 3, Outcome.NOT_RECOGNISED: 1, Outcome.COMPETENCES_ASSESSED: 1,
    Outcome.WORK_FOUND: 3, Outcome.TRAINING_FOUND: 2, Outcome.PLACE_FOUND: 4,
}
"""[weight among the outcomes that a kind of service can have] About half of an integration course reaches B1, a third A2."""

NEXT_STEP_WANTED: Final = 0.7
"""[share of suggested next steps] Confirmed when it is talked about; the others want a rest from courses, or have found work."""

# --- what partners offer ----------------------------------------------------------------------------------------------


class Plan(NamedTuple):
    """How a county plans one kind of service.

    `needed`: share of the people who consent that need it; `seats`: at most, of one offer; `weeks`: how long one person takes part;
    `dated`: offers start on a day (courses), the others take people all year.
    """

    needed: float
    seats: int
    weeks: int
    dated: bool = False


PLANS: Final[dict[ServiceKind, Plan]] = {
    ServiceKind.INTEGRATION_COURSE_GENERAL: Plan(0.37, 18, 26, dated=True),
    ServiceKind.INTEGRATION_COURSE_LITERACY: Plan(0.04, 12, 39, dated=True),
    ServiceKind.INTEGRATION_COURSE_PARENTS: Plan(0.065, 14, 39, dated=True),
    ServiceKind.INTEGRATION_COURSE_YOUTH: Plan(0.135, 16, 39, dated=True),
    ServiceKind.INTEGRATION_COURSE_SECOND_SCRIPT: Plan(0.06, 14, 39, dated=True),
    ServiceKind.GERMAN_COURSE_OTHER: Plan(0.05, 15, 12, dated=True),
    ServiceKind.VOCATIONAL_GERMAN: Plan(0.05, 16, 20, dated=True),
    ServiceKind.PARENTS_COURSE_WITH_CHILD_CARE: Plan(0.075, 10, 20, dated=True),
    ServiceKind.MOTHER_TONGUE_COURSE: Plan(0.03, 12, 40, dated=True),
    ServiceKind.CHILD_LANGUAGE_SUPPORT: Plan(0.13, 12, 40, dated=True),
    ServiceKind.CHILD_CARE_PLACE: Plan(0.15, 10, 52),
    ServiceKind.SCHOOL_COUNSELLING: Plan(0.13, 40, 8),
    ServiceKind.INTERNSHIP_AND_TRAINING: Plan(0.01, 20, 16),
    ServiceKind.RECOGNITION_COUNSELLING: Plan(0.21, 80, 8),
    ServiceKind.ADAPTATION_TRAINING: Plan(0.02, 10, 26, dated=True),
    ServiceKind.COMPETENCE_ASSESSMENT: Plan(0.08, 12, 2, dated=True),
    ServiceKind.FURTHER_TRAINING_ADVICE: Plan(0.11, 40, 4),
    ServiceKind.JOB_PLACEMENT: Plan(0.26, 90, 16),
    ServiceKind.SKILLED_WORKER_OFFICE: Plan(0.01, 30, 8),
    ServiceKind.CHARITABLE_WORK: Plan(0.02, 12, 26, dated=True),
    ServiceKind.MIGRATION_COUNSELLING: Plan(0.27, 90, 12),
    ServiceKind.YOUTH_MIGRATION_SERVICE: Plan(0.17, 60, 12),
    ServiceKind.UNACCOMPANIED_MINORS: Plan(0.005, 10, 52),
    ServiceKind.LOTSE: Plan(0.12, 8, 26),
    ServiceKind.INTERPRETER: Plan(0.59, 20, 4),
    ServiceKind.FAMILY_CENTRE: Plan(0.12, 25, 12),
    ServiceKind.HOME_VISIT: Plan(0.05, 15, 4),
    ServiceKind.PSYCHOSOCIAL_CARE: Plan(0.06, 12, 26),
    ServiceKind.HEALTH_NAVIGATION: Plan(0.12, 30, 4),
    ServiceKind.HOUSING: Plan(0.18, 40, 16),
    ServiceKind.ASSOCIATIONS_AND_VOLUNTEERING: Plan(0.34, 30, 12),
    ServiceKind.NATURALISATION_ADVICE: Plan(0.03, 20, 4),
}
"""[plan of each kind] Planners know last year's demand: `needed` is about what the talks of the made-up people bring. Sizes are guesses."""

OFFERS_AT_LEAST: Final = 2
"""[offers of each kind] However few people come, there is another time and another place to choose; such offers are small."""

SEATS_PER_NEED: Final = 0.95
"""[seats over a year for each expected need] Most are met, some wait: counties plan short of what they would need."""

SEATS_PER_NEED_OF: Final = {
    ServiceKind.PSYCHOSOCIAL_CARE: 0.45, ServiceKind.CHILD_CARE_PLACE: 0.6, ServiceKind.HOUSING: 0.7,
    ServiceKind.INTEGRATION_COURSE_LITERACY: 0.8, ServiceKind.MIGRATION_COUNSELLING: 1.15, ServiceKind.INTERPRETER: 1.1,
}
"""[the same, where it differs] The gaps that county documents name most, and what advice services can stretch."""

COURSE_LEVELS: Final[dict[ServiceKind, dict[tuple[Cefr, Cefr], float]]] = {
    ServiceKind.INTEGRATION_COURSE_GENERAL: {(Cefr.A0, Cefr.B1): 0.65, (Cefr.A1, Cefr.B1): 0.25, (Cefr.A2, Cefr.B1): 0.1},
    ServiceKind.INTEGRATION_COURSE_LITERACY: {(Cefr.A0, Cefr.A2): 1},
    ServiceKind.INTEGRATION_COURSE_PARENTS: {(Cefr.A0, Cefr.B1): 1},
    ServiceKind.INTEGRATION_COURSE_YOUTH: {(Cefr.A0, Cefr.B1): 1},
    ServiceKind.INTEGRATION_COURSE_SECOND_SCRIPT: {(Cefr.A0, Cefr.B1): 1},
    ServiceKind.GERMAN_COURSE_OTHER: {
        (Cefr.A0, Cefr.B1): 0.5, (Cefr.A1, Cefr.B1): 0.2, (Cefr.B1, Cefr.C1): 0.3,
    },
    ServiceKind.VOCATIONAL_GERMAN: {(Cefr.B1, Cefr.B2): 0.3, (Cefr.B1, Cefr.C1): 0.7},
    ServiceKind.PARENTS_COURSE_WITH_CHILD_CARE: {(Cefr.A0, Cefr.B1): 1},
}
"""[weight of levels from, to] Mostly for beginners, as most people are; groups are small, so most take in who is further on too."""

COURSE_DAYPARTS: Final = {
    Daypart.WEEKDAY_MORNING: 0.45, Daypart.WEEKDAY_AFTERNOON: 0.15, Daypart.WEEKDAY_EVENING: 0.3, Daypart.WEEKEND: 0.1,
}
"""[weight of the part of the day a course takes place in] Evenings and weekends because many work."""

STANDING_OPEN: Final = {
    Daypart.WEEKDAY_MORNING: 1, Daypart.WEEKDAY_AFTERNOON: 1, Daypart.WEEKDAY_EVENING: 0.6, Daypart.WEEKEND: 0.1,
}
"""[share of standing offers that are open in a part of the day] Offices keep office hours; many have a long evening once a week."""

VOLUNTEERS_OPEN: Final = {
    Daypart.WEEKDAY_MORNING: 0.4, Daypart.WEEKDAY_AFTERNOON: 0.7, Daypart.WEEKDAY_EVENING: 0.9, Daypart.WEEKEND: 0.7,
}
"""[share of standing offers of volunteers, by part of the day] They have time when they do not work themselves."""

STANDING_OPEN_OF: Final = {
    ServiceKind.LOTSE: VOLUNTEERS_OPEN, ServiceKind.ASSOCIATIONS_AND_VOLUNTEERING: VOLUNTEERS_OPEN,
    ServiceKind.INTERPRETER: {**STANDING_OPEN, Daypart.WEEKDAY_EVENING: 0.9, Daypart.WEEKEND: 0.6},
    ServiceKind.HOME_VISIT: {**STANDING_OPEN, Daypart.WEEKDAY_EVENING: 0.8, Daypart.WEEKEND: 0.3},
}
"""[the same, where it differs] Who visits or interprets goes by the time of the others, evenings and weekends among it."""

INTERPRETED_LANGUAGES: Final = (8, 14)
"""[languages of one offer of interpreters] A pool has several people for each hour; rare languages are still missing now and then."""

COURSE_MINIMUM: Final = 0.6
"""[share of a course's seats] So many participants it needs to be paid for; small rural courses fail below it."""

COURSE_DECIDED_BEFORE: Final = 2
"""[days before the start] On this day the county decides on courses that are below their minimum, when teachers have to be told."""

COURSE_RUNS_ANYWAY: Final = 0.2
"""[share of courses that the plan closes] Take place all the same, because the county pays for the places that are missing."""

OFFER_LOSES_SEATS: Final = 0.05
"""[share of offers] Have fewer seats than were promised: a teacher or a volunteer falls ill, a room is smaller; a guess."""

SEATS_TAKEN_BACK: Final = (1, 3)
"""[seats] So many a partner takes back when it has fewer than it promised; a guess."""

SEATS_LOST_AFTER: Final = (10, 60)
"""[days after the publication] When a partner finds out that it has fewer seats than it promised; a guess."""

SLOT_KINDS: Final = (ServiceKind.NATURALISATION_ADVICE,)
"""[kinds of service] Given by appointment, in weekly rows of slots; the other kinds of advice have open hours and so many cases at a
time."""

SLOT_MINUTES: Final = 45
"""[minutes] An appointment for advice takes three quarters of an hour, as calendars of advice centres are ruled."""

SLOT_WEEKS: Final = 48
"""[weeks a year] In which there are appointments; the others are holidays of the counsellors."""

CHILD_CARE_HOURS: Final = 25
"""[hours a week] For which a child has a place at least: five hours on five days, as day nurseries usually open."""

COURSE_TIMES: Final = {
    Daypart.WEEKDAY_MORNING: ("08:30", "12:45"), Daypart.WEEKDAY_AFTERNOON: ("13:30", "16:45"),
    Daypart.WEEKDAY_EVENING: ("18:00", "21:15"), Daypart.WEEKEND: ("09:00", "14:00"),
}
"""[from, to] The usual hours of courses: while school lasts, after it, after work, and on Saturday."""

COURSE_WEEKDAYS: Final = (Weekday.MONDAY, Weekday.TUESDAY, Weekday.THURSDAY)
"""[days of the week] On which courses take place; Wednesday afternoon and Friday are for families and prayers."""

VOLUNTEERS_SIGNED: Final = 30
"""[days before the offer] Volunteers signed the confidentiality agreement, and showed their certificate of conduct, at their training."""

INTERPRETED_BY_VIDEO: Final = 0.3
"""[share of interpreters' offers] By video: rare languages have no interpreter in the county."""

COURSE_IN_TURN: Final = 0.12
"""[share of evening courses] Take place in the morning and in the evening in turn, for whoever works shifts."""

STANDING_AS_AGREED: Final = 0.4
"""[share of volunteers' standing offers] Meet when both sides have time, which they agree between them."""

SELF_PAYERS_TAKEN: Final = 0.85
"""[share of federal courses] Take people who pay themselves beside those with a certificate."""

LETTERS_TAUGHT: Final = {
    ServiceKind.INTEGRATION_COURSE_LITERACY: (Literacy.NOT_LITERATE,),
    ServiceKind.INTEGRATION_COURSE_SECOND_SCRIPT: (Literacy.SECOND_SCRIPT,),
}
"""[literacy by kind of course] Whom the concepts of these federal courses are for."""

CARE_AGES: Final = (0, 6)
"""[years from, to] Children whom the child care beside a course takes: until they go to school."""

PLACE_HAS: Final = {
    Accessibility.STEP_FREE: 0.75, Accessibility.ACCESSIBLE_TOILET: 0.6, Accessibility.HEARING_LOOP: 0.2,
    Accessibility.SIGN_LANGUAGE: 0.05, Accessibility.LARGE_PRINT: 0.5, Accessibility.EASY_LANGUAGE: 0.6,
}
"""[share of offers, each] Public buildings mostly; who teaches beginners speaks plainly."""

FOR_NEIGHBOURS: Final = 0.1
"""[share of standing offers of volunteers] For people of their own district alone, since the municipality pays for them."""

COURSE_WITH_CHILD_CARE: Final = 0.3
"""[share of morning courses] Have somebody who looks after small children."""

COURSE_PUBLISHED_BEFORE: Final = 56
"""[days before it starts] Providers plan a term ahead; never before the year begins."""

AGES_SERVED: Final[dict[ServiceKind, tuple[int, int]]] = {
    ServiceKind.INTEGRATION_COURSE_YOUTH: (16, 26), ServiceKind.YOUTH_MIGRATION_SERVICE: (12, 26),
    ServiceKind.MIGRATION_COUNSELLING: (27, 120), ServiceKind.UNACCOMPANIED_MINORS: (14, 18),
    ServiceKind.CHILD_LANGUAGE_SUPPORT: (3, 16), ServiceKind.CHILD_CARE_PLACE: (0, 10),
}
"""[years from, to] Usual limits of these services; defaults with warm handover, not walls."""

# --- what the offices' files look like --------------------------------------------------------------------------------

FILE_ENCODINGS: Final = {"utf-8": 0.45, "utf-8-sig": 0.3, "cp1252": 0.25}
"""[weight per office] Spreadsheets write a byte order mark, old software Windows-1252 as long as the names allow."""

FILE_SEPARATORS: Final = {";": 0.8, ",": 0.2}
"""[weight per office] German spreadsheets write semicolons."""

FILE_RHYTHMS: Final = {"week": 0.75, "month": 0.25}
"""[weight per office] Small offices send once a month."""

FILE_ENGLISH: Final = 0.1
"""[share of offices] Software with English headings and words."""

FILE_ISO_DATES: Final = 0.25
"""[share of offices] Software that writes ISO dates and ISO codes instead of German dates and Destatis keys."""

FILE_PLACE_KEYS: Final = {"ags": 0.6, "ars": 0.25, "district": 0.15}
"""[weight per office] Which key the software knows a place by."""

ROW_BAD: Final = 0.012
"""[share of people in files] Their row has something impossible in it."""

ROW_FLAWS: Final = {"impossible-date": 0.35, "unknown-place": 0.25, "missing-value": 0.3, "wrong-cell-count": 0.1}
"""[weight of a kind of bad row] What clerks mistype or leave out; nobody counted it."""

ROW_REPAIRED: Final = 0.7
"""[share of bad rows] Put right and sent again with the office's next file."""

ROW_REPEATED: Final = 0.01
"""[share of rows] Stand twice in the same file."""

ROW_SENT_AGAIN: Final = 0.01
"""[share of good rows with consent, weekly files] Stand in the office's next file once more; after a month a row is not known any more."""

FILE_SENT_AGAIN: Final = 0.03
"""[share of files] Sent a second time, byte for byte, on the next working day."""
