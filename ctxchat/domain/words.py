"""Which words of a question say what it is about."""

import re

WORD = re.compile(r"\w+(?:['’]\w+)?")

STOP_WORDS = frozenset(
    """
    a about above after again all also am an and any are aren't as at be because been before being
    below between both but by can can't cannot could couldn't d did didn't do does doesn't doing don
    don't down during each few for from further get got had hadn't has hasn't have haven't having he
    he'd he'll he's her here hers herself him himself his how i i'd i'll i'm i've if in into is
    isn't it it's its itself just ll let's m may me might more most must my myself no nor not now of
    off on once only or other our ours ourselves out over own please re s same shall shan't she
    she'd she'll she's should shouldn't so some such t than that that's the their theirs them
    themselves then there there's these they they'd they'll they're they've this those through to
    too under until up us ve very was wasn't we we'd we'll we're we've were weren't what what's when
    when's where where's which while who who's whom whose why why's will with won't would wouldn't
    you you'd you'll you're you've your yours yourself yourselves
    """.split()  # noqa: SIM905 - a list of words reads as words
)


def words(text: str) -> list[str]:
    """The words of a text in lower case, in their order."""
    return WORD.findall(text.lower().replace("’", "'"))


def content_words(text: str) -> list[str]:
    """The words of a text that are no stop words."""
    return [word for word in words(text) if word not in STOP_WORDS]
