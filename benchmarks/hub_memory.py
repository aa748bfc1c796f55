"""How much memory a team hub takes while a large file goes in and out, and how long it takes.

python -m benchmarks.hub_memory --gigabytes 1

The stock client sends and fetches one file of random bytes, once as it comes (Xet) and once with
HF_HUB_DISABLE_XET=1 (LFS and plain HTTP). Memory is the largest resident size the serving process
ever had, as the kernel counts it; times are ratios to copying the file and hashing it, in this run.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.faults import TOKEN, new_store, serving

CLIENT = """
import sys, time
from huggingface_hub import HfApi
from huggingface_hub.utils import disable_progress_bars
disable_progress_bars()
api, path, cache = HfApi(), sys.argv[1], sys.argv[2]
name = api.create_repo("ana/large-" + sys.argv[3]).repo_id
began = time.perf_counter()
api.upload_file(path_or_fileobj=path, path_in_repo="large.bin", repo_id=name)
sent = time.perf_counter()
print(api.hf_hub_download(name, "large.bin", cache_dir=cache))
print(sent - began, time.perf_counter() - sent)
"""


def peak(pid: int) -> float:
    """Return the most memory a process ever had, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1000


def sha256(path: Path) -> str:
    """Return a file's sha256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> None:
    """Measure both ways and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--gigabytes", type=float, default=1.0)
    size = int(parser.parse_args().gigabytes * 1e9)
    with tempfile.TemporaryDirectory() as name:
        room = Path(name)
        large = room / "large.bin"
        with large.open("wb") as file:
            for _ in range(size // 1_000_000):
                file.write(os.urandom(1_000_000))
        began = time.perf_counter()
        shutil.copyfile(large, room / "copy.bin")
        wanted = sha256(room / "copy.bin")
        copying = time.perf_counter() - began
        (room / "copy.bin").unlink()
        print(f"copy and sha256 of {size / 1e9:.1f} GB: {copying:.1f} s")
        print(f"{'way':10} {'idle MB':>8} {'peak MB':>8} {'upload':>8} {'download':>9}")
        for way, switch in (("xet", ""), ("lfs, http", "1")):
            one(room / way.partition(",")[0], large, wanted, way, switch, copying)


def one(room: Path, large: Path, wanted: str, way: str, switch: str, copying: float) -> None:
    """Send and fetch the file one way, on a hub of its own, and print the line."""
    new_store(room / "store")
    with serving(room / "store") as (process, url):
        idle = peak(process.pid)
        environment = {**os.environ, "HF_ENDPOINT": url, "HF_TOKEN": TOKEN}
        environment |= {"HF_HOME": str(room / "home"), "HF_XET_CACHE": str(room / "cache-xet")}
        environment |= {"HF_HUB_DISABLE_XET": switch} if switch else {}
        arguments = [str(large), str(room / "cache"), way.partition(",")[0]]
        done = subprocess.run(
            [sys.executable, "-c", CLIENT, *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        path, times = done.stdout.strip().splitlines()[-2:]
        assert sha256(Path(path)) == wanted, "what came back is not what was sent"
        up, down = (float(each) / copying for each in times.split())
        print(f"{way:10} {idle:8.0f} {peak(process.pid):8.0f} {up:7.1f}x {down:8.1f}x", flush=True)
    shutil.rmtree(room)


if __name__ == "__main__":
    main()
