"""What is said in the long conversation that is measured: plans that are told, and asked about later.

Always the same, and of as many turns as are wanted. Three turns tell a plan each, and the fourth asks for
one thing of a plan told before: in turn one of the first that were told, and one that was told lately.
"""

from dataclasses import asdict, dataclass

PLACES = (
    *("harbour", "old mill", "north bridge", "tram depot", "fish market", "observatory", "tea house"),
    *("quarry", "lighthouse", "botanic garden", "clock tower", "ferry pier", "print shop", "salt works"),
    *("reading room", "swimming hall", "rope factory", "orchard", "signal box"),
)
WORKS = (
    *("survey", "repair", "inventory", "opening", "extension", "inspection", "rewiring", "audit"),
    *("sale", "cleaning", "painting", "census", "move", "rehearsal", "insurance", "lease"),
)
FIRST_NAMES = (
    *("Ines", "Tomas", "Aiko", "Leila", "Pavel", "Greta", "Samuel", "Noor", "Bruno", "Mirela", "Oskar"),
    *("Wanda", "Kofi", "Elin", "Rafael", "Yusuf", "Dana"),
)
LAST_NAMES = (
    *("Okafor", "Lindqvist", "Marchetti", "Sato", "Novak", "Haddad", "Brennan", "Castillo", "Dvorak"),
    *("Eriksen", "Fontaine", "Gupta", "Hoxha", "Ivanov", "Jansen", "Kowalski"),
)
TOLD = (
    "Please note: {leader} leads the {subject} from {date} on, with {budget} euros; the list lies in {path}.",
    "{leader} took over the {subject}. We start on {date} with {budget} euros, and write it down in {path}.",
    "Good news: the {subject} got {budget} euros. {leader} will run it from {date} on, and uses {path}.",
    "I saved the {subject} under {path}. It has {budget} euros, opens on {date}, and {leader} is in charge.",
    "On {date} we begin the {subject}. Ask {leader}, spend {budget} euros at most, and look into {path}.",
)
ASKED = (
    ("leader", "Back to the {subject}: who is in charge of it?"),
    ("budget", "How many euros may we spend on the {subject}?"),
    ("path", "In which file did we keep what belongs to the {subject}?"),
)
MONTHS = ("March", "April", "May", "June", "July", "August", "September")
ASK_EVERY = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """Something that is told once. No two plans share a subject, a budget or a path."""

    subject: str
    leader: str
    date: str
    budget: str
    path: str


@dataclass(frozen=True, slots=True)
class Saying:
    """A question of the conversation, and for one that asks what the prompt must hold word for word
    to answer it: the `evidence`."""

    text: str
    evidence: str | None = None


def talk(turns: int) -> list[Saying]:
    """The questions of a conversation of so many turns."""
    said: list[Saying] = []
    told: list[Plan] = []
    for number in range(1, turns + 1):
        if number % ASK_EVERY:
            told.append(plan(len(told)))
            said.append(Saying(TOLD[len(told) % len(TOLD)].format(**asdict(told[-1]))))
        else:
            said.append(_asked(told, number // ASK_EVERY))
    return said


def plan(number: int) -> Plan:
    """The plan of a number, from 0."""
    subject = f"{PLACES[number % len(PLACES)]} {WORKS[number % len(WORKS)]}"
    again = number // (len(PLACES) * len(WORKS))
    return Plan(
        subject=f"{subject} {again + 1}" if again else subject,
        leader=f"{FIRST_NAMES[number % len(FIRST_NAMES)]} {LAST_NAMES[number % len(LAST_NAMES)]}",
        date=f"{1 + number * 11 % 28} {MONTHS[number % len(MONTHS)]}",
        budget=f"{1000 + number * 7919 % 9000:,}",
        path=f"/srv/plans/{subject.replace(' ', '-')}-{number:03}.csv",
    )


def _asked(told: list[Plan], time: int) -> Saying:
    wanted = told[time // 2] if time % 2 else told[len(told) * 2 // 3]
    thing, words = ASKED[time % len(ASKED)]
    return Saying(words.format(subject=wanted.subject), getattr(wanted, thing))
