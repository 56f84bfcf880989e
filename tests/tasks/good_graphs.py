"""Six good graphs, written by hand for six golden briefs: reworded here and there, every quote from its brief.

An edge is `from > to` with a quote, or with `~` for an owned-up hypothesis.
"""

GOOD = {
    "pricing-saas-seat": {
        "nodes": {
            "goal": ("goal", "Grow revenue while churn stays near 2.1% a month"),
            "which": ("decision", "How to price the Team plan before 1 September"),
            "raise": ("option", "Raise the Team plan from $12 to $15 a seat"),
            "addon": ("option", "Leave the plan at $12 and start charging for the API add-on"),
            "more": ("outcome", "More revenue from every seat"),
            "leave": ("risk", "Price-sensitive teams leave"),
            "api": ("outcome", "Revenue from heavy API users only"),
        },
        "edges": [
            ("goal", "which", "Churn is 2.1% a month"),
            ("which", "raise", "raise the Team plan from $12 to $15 per seat"),
            ("which", "addon", "start charging for the API add-on"),
            ("raise", "more", "~"),
            ("raise", "leave", "~"),
            ("addon", "api", "charging for the API add-on"),
        ],
    },
    "clinical-mri-slots": {
        "nodes": {
            "g": ("goal", "Bring the routine waiting list from 63 days to the target of 42"),
            "d": ("decision", "Which measure does the board fund for six months?"),
            "sat": ("option", "Open on Saturdays with voluntary overtime: 16 extra scans a week at £165"),
            "short": ("option", "Shorten the standard protocol from 30 to 24 minutes"),
            "private": ("option", "Send 40 patients a month to the private clinic at £290 a scan"),
            "tired": ("risk", "Radiographers, two of nine leaving already, tire further"),
            "x_sat": ("outcome", "Waiting list falls at staff cost"),
            "x_short": ("outcome", "More scans a day at no staff cost"),
            "x_private": ("outcome", "Waiting list falls without own staff"),
        },
        "edges": [
            ("g", "d", "the routine waiting list has reached 63 days"),
            ("d", "sat", "open Saturdays with voluntary overtime"),
            ("d", "short", "shorten the standard protocol from 30 to 24 minutes"),
            ("d", "private", "send 40 patients a month to the private clinic"),
            ("sat", "x_sat", "about 16 extra scans a week at £165 each"),
            ("sat", "tired", "Radiographers are tired"),
            ("short", "x_short", "image quality stays acceptable for knees and spines"),
            ("private", "x_private", "~"),
        ],
    },
    "build-buy-billing": {
        "nodes": {
            "goal": ("goal", "Usage-based billing by Q1 2027, at 11 million events per day"),
            "choose": ("decision", "Build, buy or extend?"),
            "build": ("option", "Build it ourselves: 4 engineers, 5 months, then 20% of one engineer"),
            "buy": (
                "option",
                "Buy Metronita: 0.8 percent of billed revenue, at least $60k a year, seven weeks",
            ),
            "extend": ("option", "Extend the open-source engine we already use for invoices"),
            "late": ("risk", "The payments squad finishes after the contracts start"),
            "own": ("outcome", "Billing fits our product, upkeep is ours"),
            "live": ("outcome", "Live in time, at a share of revenue"),
            "unknown": ("risk", "Nobody has run it at this volume"),
        },
        "edges": [
            ("goal", "choose", "We need usage-based billing by Q1 2027"),
            ("choose", "build", "Option A: build it ourselves"),
            ("choose", "buy", "Option B: buy Metronita"),
            ("choose", "extend", "extend the open-source engine we already use for invoices"),
            ("build", "own", "then about 20% of one engineer forever"),
            ("build", "late", "~"),
            ("buy", "live", "Integration: seven weeks"),
            ("extend", "unknown", "Nobody has done it at our volume"),
        ],
    },
    "incident-water-leak": {
        "nodes": {
            "goal": ("goal", "Keep 5,200 households supplied"),
            "d": ("decision", "What to do about the leaking 600 mm trunk main"),
            "tonight": ("option", "Repair tonight, road closed for 14 hours"),
            "clamp": ("option", "Clamp it and wait for the planned closure on October 3"),
            "done": ("outcome", "Leak gone, traffic disrupted once"),
            "holds": ("outcome", "The clamp holds (80 percent chance)"),
            "bursts": ("risk", "The clamp goes and pressure is lost"),
        },
        "edges": [
            ("goal", "d", "If it goes, 5,200 households lose pressure"),
            ("d", "tonight", "Repair tonight with the road closed for 14 hours"),
            ("d", "clamp", "clamp it and wait for the planned closure on 3 October"),
            ("tonight", "done", "~"),
            ("clamp", "holds", "The clamp holds with an 80% chance"),
            ("clamp", "bursts", "5,200 households lose pressure"),
        ],
    },
    "market-entry-nordics": {
        "nodes": {
            "goal": ("goal", "Enter the Nordics from €14.6 million revenue growing 22%"),
            "d": ("decision", "Which way in, before buyers decide in February?"),
            "dist": ("option", "Sign a distributor in Sweden at a 28% margin"),
            "office": ("option", "Open our own office in Copenhagen: five people, 900,000 euros"),
            "online": ("option", "Start online only on a marketplace with €150k for 12 months"),
            "reach": ("outcome", "All four countries reached at once"),
            "control": ("outcome", "Own relationships with retail buyers"),
            "learn": ("outcome", "Demand is known before shelf space is bought"),
            "locals": ("risk", "Two local brands hold 37% of the shelf"),
        },
        "edges": [
            ("goal", "d", "The sales team wants to enter the Nordics next"),
            ("d", "dist", "Sign a distributor in Sweden who takes a 28% margin"),
            ("d", "office", "Open our own office in Copenhagen with five people"),
            ("d", "online", "Start with online only through a marketplace"),
            ("dist", "reach", "covers all four countries"),
            ("office", "control", "~"),
            ("online", "learn", "learn for 12 months"),
            ("dist", "locals", "together hold 37% of the shelf"),
        ],
    },
    "energy-heat-pump": {
        "nodes": {
            "goal": ("goal", "Heat 36 flats affordably: €1,150 a year each today"),
            "d": ("decision", "What replaces the 24-year-old boiler?"),
            "gas": ("option", "Replace it with a gas boiler again, €48,000"),
            "pump": ("option", "Ground-source heat pump, 210k euros, 40% granted"),
            "district": ("option", "Join the district heating network in 2029"),
            "cheap": ("outcome", "Lowest outlay, fuel price risk stays"),
            "clean": ("outcome", "Low running cost after a large outlay"),
            "wait": ("risk", "The boiler fails before the network arrives"),
        },
        "edges": [
            ("goal", "d", "The housing co-op's gas boiler is 24 years old"),
            ("d", "gas", "Replace it with a gas boiler again"),
            ("d", "pump", "a ground-source heat pump (€210,000, of which a grant pays 40%)"),
            ("d", "district", "join the district heating network when it reaches us in 2029"),
            ("gas", "cheap", "~"),
            ("pump", "clean", "of which a grant pays 40%"),
            ("district", "wait", "~"),
        ],
    },
}


def good_answer(case_id):
    """The answer object, as a model would write it."""
    said = GOOD[case_id]
    nodes = [{"id": key, "kind": kind, "label": label} for key, (kind, label) in said["nodes"].items()]
    edges = [
        {"id": f"e{i}", "from": a, "to": b, "belief": 0.6} | _grounds(quote)
        for i, (a, b, quote) in enumerate(said["edges"])
    ]
    return {"graph": {"nodes": nodes, "edges": edges}, "rationales": [], "confidence": 0.7}


def _grounds(quote):
    if quote == "~":
        return {"provenance_source": "hypothesis"}
    return {"provenance": {"source": "brief", "quote": quote}, "provenance_source": "document"}
