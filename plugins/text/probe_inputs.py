"""Twenty public sentences, written for hubtl: their logits prove an adapter on any machine."""

PROBE_INPUTS = (
    "The parcel arrived two days late and the box was torn.",
    "I would buy this again without a second thought.",
    "Please cancel my order and refund the full amount.",
    "A lightweight library for drawing charts in a terminal.",
    "The court finds that the contract was void from the beginning.",
    "Take one tablet twice a day after a meal.",
    "Quarterly revenue rose by four percent to 2.1 billion.",
    "The keyboard is quiet, the screen is not.",
    "How do I reset my password?",
    "Rain is expected over the northern hills until Thursday.",
    "The goalkeeper saved a penalty in the last minute.",
    "This function returns a list of integers, or raises an error.",
    "Der Zug nach Hamburg hat heute zehn Minuten Verspätung.",
    "Une petite maison au bord de la mer.",
    "Protein folding can be predicted from the sequence alone.",
    "Turn off the lights in the kitchen at nine.",
    "ok",
    "1 2 3 4 5 6 7 8 9 10",
    "It's not bad; it's just not what the picture showed :-(",
    "The committee, having heard both sides at length and having read the reports that came in "
    "after the deadline, decided to put off the vote until all members could be there in person.",
)
