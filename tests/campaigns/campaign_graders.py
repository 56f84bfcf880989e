"""The graders against good and deliberately damaged graphs: a confusion table."""

from harness.tasks.decisions.draft_graph import WEIGHTS
from tests.tasks.confusion import confusion
from tests.tasks.good_graphs import GOOD

COUNTS = ("true alarm", "false calm", "true calm", "false alarm")


def main() -> int:
    """Print the tables; 1 when any grader missed or imagined a fault."""
    by_grader, by_change = confusion()
    graphs = len(GOOD) + sum(row["n"] for row in by_change.values())
    print("# Graders of draft_graph: what they notice\n")
    print(
        f"{graphs} graphs: {len(GOOD)} good ones written by hand for golden briefs, and {len(by_change)} changes "
        "applied to each, five of them harmless. A grader notices when its part falls by 0.01 or more against the "
        "good graph. A change names the graders that must notice; a side effect that a change may have (a lost "
        "node takes its quote along) is not counted either way.\n"
    )
    print("| grader | weight | noticed | missed | rightly calm | imagined |")
    print("|---|---|---|---|---|---|")
    for grader, counts in by_grader.items():
        cells = " | ".join(str(counts[name]) for name in COUNTS)
        print(f"| {grader} | {WEIGHTS[grader]:.2f} | {cells} |")
    print("\nHow often each grader noticed each change; those that must notice it are in bold.\n")
    print(f"| change | n | {' | '.join(WEIGHTS)} | mean score | tiers |")
    print(f"|---|---|{'---|' * len(WEIGHTS)}---|---|")
    for name, row in by_change.items():
        cells = " | ".join(
            f"**{row['noticed'][grader]}**" if grader in row["expected"] else str(row["noticed"][grader])
            for grader in WEIGHTS
        )
        tiers = ", ".join(f"{tier} {n}" for tier, n in sorted(row["tiers"].items()))
        print(f"| {name} | {row['n']} | {cells} | {row['score'] / row['n']:.3f} | {tiers} |")
    wrong = sum(counts["false calm"] + counts["false alarm"] for counts in by_grader.values())
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
