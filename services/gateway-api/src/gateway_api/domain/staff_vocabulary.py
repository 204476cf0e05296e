"""The words of the staff pages: rooms, roles and deeds, as message ids of the catalogues."""

from dataclasses import dataclass

from kommunepuls_events import Kind

from gateway_api.domain.organisers.drafts import State
from gateway_api.domain.staff import Role
from gateway_api.domain.vocabulary import marked


@dataclass(frozen=True, slots=True)
class Room:
    """One room of the staff pages: where it begins, what it is called, and whom it is for."""

    path: str
    name: str
    role: Role


ROOMS = (
    Room("/staff/console", marked("Operations"), Role.OPERATOR),
    Room("/staff/approvals", marked("For approval"), Role.EDITOR),
    Room("/staff/writing", marked("Write"), Role.ORGANISER),
    Room("/staff/organisers", marked("Organisers"), Role.EDITOR),
    Room("/staff/rules", marked("Content rules"), Role.EDITOR),
    Room("/staff/people", marked("People"), Role.EDITOR),
    Room("/staff/log", marked("Who did what"), Role.EDITOR),
)
"""In the order of the menu. Whoever signs in comes to the first room that is theirs."""

ROLES = {
    Role.OPERATOR: marked("Operator"),
    Role.EDITOR: marked("Editor"),
    Role.ORGANISER: marked("Organiser"),
}

ROLE_TEXTS = {
    Role.EDITOR: marked("Writes the rules for content, approves organisers, invites people."),
    Role.ORGANISER: marked("Writes for a club or another organiser."),
}

ACTIONS = {
    "signed-in": marked("signed in"),
    "member-invited": marked("invited"),
    "member-changed": marked("changed the roles of"),
    "member-removed": marked("removed"),
    "organiser-approved": marked("approved the organiser"),
    "organiser-changed": marked("changed the page of"),
    "organiser-closed": marked("closed the organiser"),
    "organiser-asked": marked("asks to approve what is written by"),
    "organiser-trusted": marked("no longer asks to approve what is written by"),
    "item-handed-in": marked("handed in"),
    "item-published": marked("published"),
    "item-sent-back": marked("sent back"),
    "item-withdrawn": marked("withdrew"),
    "rule-added": marked("added the rule"),
    "rule-changed": marked("changed the rule"),
    "rule-deleted": marked("deleted the rule"),
    "rule-on": marked("turned on the rule"),
    "rule-off": marked("turned off the rule"),
    "rules-ordered": marked("moved the rule"),
    "rules-restored": marked("went back to version"),
    "item-let-through": marked("let through"),
    "replay-asked": marked("sent back all records of"),
    "record-replayed": marked("sent back a record of"),
}
"""What the record tells, by slug; ``<who> <action> <subject>`` reads as a sentence."""

DETAILS = {
    "roles": marked("roles"),
    "organisers": marked("organisers"),
    "organiser": marked("organiser"),
    "version": marked("version"),
    "service": marked("service"),
    "record": marked("record"),
}
"""What stands beside a deed."""

KIND_TEXTS = {
    Kind.NOTICE: marked("Something residents should know"),
    Kind.EVENT: marked("Something takes place, at a time and a place"),
    Kind.VOLUNTEER_NEED: marked("You need people who help"),
}
"""What an organiser can write."""

DRAFT_STATES = {
    State.DRAFT: marked("Draft"),
    State.WAITING: marked("Waits for approval"),
    State.SENT_BACK: marked("Sent back"),
    State.PUBLISHED: marked("Published"),
    State.CHANGED: marked("Published, with changes not yet out"),
    State.WITHDRAWN: marked("Withdrawn"),
}

SEVERITIES = {
    "unknown": marked("Not given"),
    "minor": marked("Minor"),
    "moderate": marked("Moderate"),
    "severe": marked("Severe"),
    "extreme": marked("Extreme"),
}
"""How severe an item is, as editors see it."""

PERIODS = {
    "day": marked("24 hours"),
    "week": marked("7 days"),
    "month": marked("30 days"),
    "year": marked("a year"),
}

DELIVERY_STATES = {
    "sent": marked("Sent"),
    "held": marked("Held"),
    "digested": marked("Kept for a digest"),
    "failed": marked("Failed"),
    "suppressed": marked("Not sent"),
}

SOURCE_WORDS = {"well": marked("Well"), "late": marked("Late"), "failing": marked("Needs a hand")}

WAYS = {
    "phone": marked("by phone"),
    "desk": marked("at the service desk"),
    "letter": marked("by letter"),
}
"""Other ways of telling residents, against which the gains are worked out."""

RECORD_STATES = {
    "open": marked("Open"),
    "replayed": marked("Sent back"),
    "unreplayable": marked("Cannot be sent back"),
}
