# SPDX-License-Identifier: MIT
"""Where things are: the test data, the build; makes the judge's modules known."""
import os
import sys
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
MORE = "TALKFACE_TEST_DATA"
sys.path.insert(0, str(SOURCE / "tests/judge"))


class Missing(Exception):
    """Something that this needs is not there; the text says what, where and what to do."""


@dataclass(frozen=True)
class Data:
    """Portraits, sounds and clips: tests/data, and a folder with more of them, arranged alike."""
    folders: tuple

    def find(self, name):
        """The file of this path below one of the folders, or None."""
        return next((folder / name for folder in self.folders if (folder / name).is_file()), None)

    def need(self, name):
        """The same for a file that is in tests/data. Throws Missing."""
        path = self.find(name)
        if path is None:
            raise Missing(f"missing in the sources, restore: {self.folders[0] / name}")
        return path

    def glob(self, pattern):
        """All files whose path below a folder fits; of two with one path, the first folder's."""
        found = {path.relative_to(folder): path for folder in reversed(self.folders)
                 for path in folder.glob(pattern)}
        return [found[name] for name in sorted(found)]


@dataclass(frozen=True)
class Environment:
    data: Data
    build: Path  # meson's

    @property
    def tool(self):
        return self.build / "pipelines/cli/talkface"

    @property
    def commanded(self):
        return self.build / "tests/likeness/commanded"

    def variables(self):
        """The environment in which the build's own programs and plugin run."""
        return {**os.environ,
                "TALKFACE_ENGINE": str(self.build / "models/libtalkface-engine.so"),
                "TALKFACE_MODEL_PATH": f"{SOURCE}/models/packs:{self.build}/models/packs",
                "GST_PLUGIN_PATH_1_0": str(self.build / "elements"),
                "GST_REGISTRY": str(self.build / "tests/likeness/registry")}


def find(build):
    """The environment, checked. Throws Missing."""
    folders, more = [SOURCE / "tests/data"], os.environ.get(MORE)
    if more:
        if not Path(more).is_dir():
            raise Missing(f"{MORE}={more} is no folder: name one with more portraits, sounds and clips, "
                          "or unset it")
        folders.append(Path(more).resolve())
    found = Environment(Data(tuple(folders)), Path(build).resolve())
    for program in (found.tool, found.commanded):
        if not program.is_file():
            raise Missing(f"{program} is not there: run scripts/build.sh {build}")
    return found
