# SPDX-License-Identifier: MIT
"""Prints the libraries that the engine needs of a libtorch folder, one path a line: libtorch_cpu,
libc10 and what these load from the folders on their run path (libgomp, CUDA's runtime and CUPTI).
`meson install` puts them beside the engine, so that it runs without the virtual environment."""
import os
import re
import subprocess
import sys

ROOTS = ("libtorch_cpu.so", "libc10.so")


def dynamic_section(path):
    text = subprocess.run(["readelf", "-d", path], check=True, capture_output=True, text=True).stdout
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", text)
    run_path = re.search(r"\((?:RPATH|RUNPATH)\).*\[(.*)\]", text)
    return needed, run_path.group(1).split(":") if run_path else []


def main(torch):
    found = {}
    waiting = [os.path.join(torch, "lib", name) for name in ROOTS]
    while waiting:
        path = waiting.pop()
        if os.path.basename(path) in found:
            continue
        found[os.path.basename(path)] = path
        needed, run_path = dynamic_section(path)
        folders = [os.path.dirname(path)]
        folders += [folder.replace("$ORIGIN", os.path.dirname(path)) for folder in run_path]
        for name in needed:
            here = next((f for f in folders if os.path.isfile(os.path.join(f, name))), None)
            if here is not None:  # else it is the system's
                waiting.append(os.path.join(here, name))
    for path in sorted(found.values()):
        print(os.path.realpath(path))


if __name__ == "__main__":
    main(sys.argv[1])
