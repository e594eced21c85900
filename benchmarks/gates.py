"""Measure how far the recurrent layers of lesson 6 remember: its table of the recall task.

    python benchmarks/gates.py     trains all of them, and writes gates.json beside this file

It runs the notebook's cells that are tagged "gates".
"""

import json
from pathlib import Path

from accuracy import tagged_cells

LESSON = Path(__file__).parents[1] / "notebooks" / "06_gates.ipynb"
RESULTS = Path(__file__).with_suffix(".json")
SEEDS = (0, 1, 2)
STEPS = (10, 30, 100)


def lesson() -> dict:
    """Run the tagged cells; return what they define."""
    names: dict = {}
    for cell_id, source in tagged_cells(LESSON, "gates"):
        exec(compile(source, cell_id, "exec"), names)
    return names


def main() -> None:
    """Train every layer for every number of steps and seed; print and write the accuracies."""
    names, accuracies = lesson(), {}
    for k in STEPS:
        for seed in SEEDS:
            for name, (layer, training) in names["contestants"](k, seed).items():
                _, accuracy = names["recall"](layer, k, seed, **training)
                runs = accuracies.setdefault(name, {}).setdefault(str(k), [])
                runs.append(round(float(accuracy)))
                print(f"k = {k:3}, seed {seed}: {name:16} {runs[-1]:3} %", flush=True)
    RESULTS.write_text(json.dumps(accuracies, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
