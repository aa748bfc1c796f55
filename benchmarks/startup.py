"""How long `hubtl --help` takes beside a bare Typer app with as many commands, turn by turn.

    python benchmarks/startup.py [RUNS]

Prints the median wall seconds of each and the median of the ratios of pairs. Machines are noisy:
quote the ratio.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hubtl.cli import COMMANDS

BARE = """
import typer

app = typer.Typer(rich_markup_mode="rich")
for name in {names!r}:

    def command(
        word: str = typer.Argument(..., help="A word."),
        as_json: bool = typer.Option(False, "--json", help="Print one JSON document."),
    ) -> None:
        "Do one thing, and say so in a line that is about as long as ours are."

    app.command(name)(command)
app()
"""


def seconds(command: list[str]) -> float:
    """Return how long a command takes."""
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def main(runs: int) -> None:
    """Run the two in turn and print."""
    with tempfile.TemporaryDirectory() as room:
        bare = Path(room, "bare.py")
        bare.write_text(BARE.format(names=list(COMMANDS)))
        ours = [sys.executable, "-m", "hubtl", "--help"]
        theirs = [sys.executable, str(bare), "--help"]
        pairs = [(seconds(ours), seconds(theirs)) for _ in range(runs + 1)][1:]
    print(f"hubtl --help           {statistics.median(a for a, _ in pairs):.3f} s")
    print(f"bare Typer, {len(COMMANDS)} commands {statistics.median(b for _, b in pairs):.3f} s")
    print(f"ratio                  {statistics.median(a / b for a, b in pairs):.2f}")


main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
