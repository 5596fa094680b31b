# SPDX-License-Identifier: MIT
"""The parity checks are not hollow: a number of each reference file is changed, and the file's check must say BAD.

    notices_test.py PARITY    the built program; prints what was changed and what was noticed
"""
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[4] / "data/parity"
PARITY = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else ""

# One weight a file, early in its network; the files a and j have none, there an input is changed.
CHANGED = {
    "a_mfcc": "in/wave",
    "b_audio2au": "param/block1.conv1.weight",
    "c_audio_landmark": "param/cond_stage_model_for_audio.encoder_conv.0.weight",
    "d_fusion": "param/model.fc1.weight",
    "e_mask": "param/main.0.weight",
    "f_vq": "param/first_stage_model.encoder.conv_in.weight",
    "g_unet": "param/model.diffusion_model.input_blocks.0.0.weight",
    "h_ddim": "param/model.diffusion_model.input_blocks.0.0.weight",
    "i_e2e": "param/audio2AU10_model.block1.conv1.weight",
    "j_preprocess": "in/mean_shape67",
}
CODES = {"F32": "f", "F16": "e", "I16": "h", "U8": "B"}  # of struct


def change(path, name):
    """Another value for the tensor's middle element: larger by the largest of them, or by 1 where they are whole numbers.
    Returns (index, old, new)."""
    data = bytearray(path.read_bytes())
    size = struct.unpack_from("<Q", data)[0]
    tensor = json.loads(data[8:8 + size])[name]
    begin, end = (8 + size + offset for offset in tensor["data_offsets"])
    code = "<" + CODES[tensor["dtype"]]
    values = [value for value, in struct.iter_unpack(code, data[begin:end])]
    index = len(values) // 2
    old = values[index]
    new = old + (1 if isinstance(old, int) else max(map(abs, values)))
    struct.pack_into(code, data, begin + index * struct.calcsize(code), new)
    path.write_bytes(data)
    return index, old, new


def run(*arguments, **environment):
    return subprocess.run([PARITY, *map(str, arguments)], capture_output=True, text=True, timeout=100,
                          env={**os.environ, **environment})


class ParityNotices(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def test_one_changed_number_in_each_file(self):
        files = sorted(SOURCE.glob("*.safetensors"))
        self.assertEqual([file.stem for file in files], sorted(CHANGED))
        for file in files:  # i reads a, which lies beside it
            shutil.copy(file, self.folder)
        for file in files:
            with self.subTest(file.stem):
                copy = self.folder / file.name
                index, old, new = change(copy, CHANGED[file.stem])
                result = run(copy)
                shutil.copy(file, copy)
                differences = re.findall(r"^(\S+) .*BAD \(", result.stdout, re.MULTILINE)
                print(f"{file.stem:17} {CHANGED[file.stem]}[{index}]: {old:.6g} -> {new:.6g}, "
                      f"{len(differences)} tensors differ", flush=True)
                self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
                self.assertTrue(differences, result.stdout)

    def test_what_is_missing(self):
        result = run("--check", "mfcc", TALKFACE_PARITY=str(self.folder / "none"))
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertIn("none is no folder", result.stderr)

    def test_bad_files_of_another_folder(self):
        copy = pathlib.Path(shutil.copy(SOURCE / "a_mfcc.safetensors", self.folder))
        self.assertEqual(run("--check", "mfcc", TALKFACE_PARITY=str(self.folder)).returncode, 0)
        change(copy, "in/wave")
        self.assertEqual(run("--check", "mfcc", TALKFACE_PARITY=str(self.folder)).returncode, 1)


if __name__ == "__main__":
    unittest.main()
