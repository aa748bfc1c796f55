"""What an export costs and gives: its size, what it says, and its time a row against torch.

    OMP_NUM_THREADS=1 python -m benchmarks.exported [ROWS_A_LABEL] [--recipes probe,lora]

Adapts MiniLM to the example, exports it in both forms, and runs the cards of both in turn on the
824 test rows, with one thread each: CPU seconds of the second of two passes, and their ratio.
"""

import argparse
import contextlib
import tempfile
import time
from pathlib import Path
from typing import Any

import hubtl
from hubtl.example import write_few
from hubtl.predictions import read_predictions
from hubtl.registry.card import first_python_block

SECTIONS = Path(__file__).parent.parent / "examples" / "debian-sections.csv"
MINILM = "sentence-transformers/all-MiniLM-L6-v2"
FORMS = ("merged", "onnx")


def opened(folder: Path) -> dict[str, Any]:
    """Return the names that the code on a folder's card defines, run in the folder."""
    names: dict[str, Any] = {}
    code = first_python_block((folder / "README.md").read_text("utf-8"))
    # Threads of onnxruntime's spin while they wait, which would be counted as work.
    one = "_one = onnxruntime.SessionOptions()\n_one.intra_op_num_threads = 1\nsession = "
    code = code.replace("session = ", one).replace("providers=", "sess_options=_one, providers=")
    with contextlib.chdir(folder):
        exec(code, names)
    return names


def cpu_seconds(names: dict[str, Any], inputs: list[str]) -> float:
    """Return how long a card's code takes for all inputs, near lengths together."""
    start = time.process_time()
    names["logits"](sorted(inputs, key=len))
    return time.process_time() - start


def main() -> None:
    """Print a line for each recipe and form."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="?", type=int, default=8)
    parser.add_argument("--recipes", default="probe,lora")
    asked = parser.parse_args()
    print("recipe  form      MB  rows  other labels  near ties  widest    CPU ms a row  of torch's")
    with tempfile.TemporaryDirectory() as name:
        room = Path(name)
        write_few(SECTIONS, room / "few.csv", asked.rows, ("text", "label"))
        for recipe in asked.recipes.split(","):
            job = {"base": MINILM, "recipe": recipe, "test": SECTIONS, "domain": "software"}
            folder = room / recipe
            hubtl.adapt("text-classification", room / "few.csv", out=folder, **job)
            inputs = read_predictions(folder).inputs
            made = {
                form: hubtl.export(folder, format=form, out=room / f"{recipe}-{form}")
                for form in FORMS
            }
            cards = {form: opened(each.folder) for form, each in made.items()}
            for _ in range(2):
                took = {form: cpu_seconds(cards[form], inputs) for form in FORMS}
            for form, each in made.items():
                told = each.made.compared
                print(
                    f"{recipe:6}  {form:6}  {sum(each.sizes.values()) / 1e6:4.0f}  {told['rows']}  "
                    f"{told['other_labels']:12}  {told['near_ties']:9}  {told['widest']:.1e}   "
                    f"{1000 * took[form] / len(inputs):12.1f}  {took[form] / took['merged']:.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
