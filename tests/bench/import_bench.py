#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How long `talkface-train import mftfg` takes on full-size checkpoints (4.4 GB, with averaged
weights), and how much memory of its own it needs. Makes the files first, which stay in FOLDER for
the next run; needs 8 GB there.

    tests/bench/import_bench.py --build build FOLDER
"""
import argparse
import pathlib
import shutil
import subprocess
import time

KEYS = pathlib.Path(__file__).resolve().parents[1] / "data/parity/official_keys.txt"


def anonymous_kib(pid):
    """Memory that is neither shared nor backed by a file; 0 when the process has ended."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines()
                 if line.startswith("RssAnon")), 0)


def measure(command):
    """Runs a command; returns seconds and the peak of its anonymous memory in MiB."""
    start = time.monotonic()
    process = subprocess.Popen(command)
    peak = 0
    while process.poll() is None:
        peak = max(peak, anonymous_kib(process.pid))
        time.sleep(0.02)
    if process.returncode != 0:
        raise SystemExit(f"failed: {' '.join(command)}")
    return time.monotonic() - start, peak / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    if not (arguments.folder / "generator.tar").exists():
        subprocess.run([arguments.build / "tests/bench/mftfg_checkpoint", KEYS,
                        arguments.folder], check=True)
    files = sorted(path for path in arguments.folder.iterdir() if path.is_file())
    total = sum(path.stat().st_size for path in files)
    pack = arguments.folder / "pack"
    shutil.rmtree(pack, ignore_errors=True)
    train = str(arguments.build / "models/training/talkface-train")
    seconds, mib = measure([train, "import", "mftfg", "--checkpoint", *map(str, files),
                            "--output", str(pack)])
    written = sum(path.stat().st_size for path in pack.iterdir())
    print(f"import: {total / 1e9:.2f} GB read in {seconds:.1f} s, pack of {written / 1e9:.2f} GB, "
          f"at most {mib:.0f} MiB of anonymous memory")
    exported = arguments.folder / "pack" / "exported.pt"
    seconds, mib = measure([train, "export", "--model", str(pack), "--output", str(exported)])
    print(f"export: {exported.stat().st_size / 1e9:.2f} GB in {seconds:.1f} s, at most {mib:.0f} MiB")


if __name__ == "__main__":
    main()
