# SPDX-License-Identifier: MIT
"""Makes the reference tensors in tests/data/parity with the official PyTorch code, or checks them in a fresh process
(tests/data/parity/README.md says with what).

    python make_parity.py --official CHECKOUT --out FOLDER            writes the ten files
    python make_parity.py --official CHECKOUT --out FOLDER --verify   loads their parameters and inputs, computes
                                                                      everything again, prints the largest differences
    --only g_unet,h_ddim                                              some of them
"""
import argparse
import hashlib
import os
import shutil
import tempfile

import cv2
import numpy as np
import PIL
import torch
from safetensors import safe_open

import cases
import weights
import whole
from official import Official

CASES = (cases.Mfcc, cases.Audio2AU, cases.Encoders, cases.Fusion, cases.Mask, cases.FirstStage, cases.Unet, whole.Ddim,
         whole.EndToEnd, whole.Preprocess)


def versions():
    return dict(source="MFTFG-AU/Multimodal-Fusion-for-Talking @ a69128d", torch=torch.__version__,
                numpy=np.__version__, opencv=cv2.__version__, pillow=PIL.__version__)


def make(case, official, path):
    torch.manual_seed(cases.SEED)
    case.facts = dict(case.facts)
    networks = case.build(official)
    case.prepare(official, networks)
    torch.manual_seed(cases.SEED + 5)
    inputs = case.inputs(official, networks)
    stored = {name: weights.narrowest(value) if name == "in/x_T" else value for name, value in inputs.items()}
    tensors = {**case.parameters(networks), **stored, **case.compute(official, networks, inputs)}
    weights.write(path, tensors, {**versions(), **case.facts})
    with open(path, "rb") as file:
        print(f"{case.name:18} {os.path.getsize(path):9} bytes  {hashlib.sha256(file.read()).hexdigest()}")


def verify(case, official, path):
    """Everything but in/* anew from the file's parameters and inputs; the largest difference of each tensor."""
    torch.manual_seed(0)
    networks = case.build(official)
    with safe_open(path, "pt") as file:
        stored = {name: file.get_tensor(name) for name in file.keys()}
    for prefix, network in networks.items():
        state = {name: stored.get(f"param/{prefix}{name}") for name in network.state_dict()}
        missing = [name for name, value in state.items() if value is None]
        assert not any("." in name for name in missing), missing  # only the unused schedule may be missing
        network.load_state_dict({name: value for name, value in state.items() if value is not None}, strict=False)
    as_array = isinstance(case, (cases.Mfcc, whole.Preprocess))
    inputs = {name: value.numpy() if as_array else value.float() if value.dtype == torch.float16 else value.clone()
              for name, value in stored.items() if name.startswith("in/")}
    worst = 0
    for name, value in case.compute(official, networks, inputs).items():
        difference = (torch.as_tensor(np.asarray(value)).double() - stored[name].double()).abs().max().item()
        worst = max(worst, difference)
        print(f"  {name:32} {difference:.2e}  (largest value {stored[name].double().abs().max().item():.3g})")
    print(f"{case.name}: {worst:.2e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--official", required=True, help="a checkout of MFTFG-AU/Multimodal-Fusion-for-Talking")
    parser.add_argument("--out", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--verify", action="store_true")
    options = parser.parse_args()
    out = os.path.abspath(options.out)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.set_grad_enabled(False)
    torch.use_deterministic_algorithms(True)
    official = Official(options.official)
    for make_case in CASES:
        case = make_case()
        if options.only and case.name not in options.only.split(","):
            continue
        case.work = tempfile.mkdtemp()
        try:
            (verify if options.verify else make)(case, official, os.path.join(out, case.name + ".safetensors"))
        finally:
            shutil.rmtree(case.work)


if __name__ == "__main__":
    main()
