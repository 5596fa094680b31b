# SPDX-License-Identifier: MIT
"""Weights that are exact in few bytes, and safetensors files that use it.

Wide kernels are small non-negative integers, most of them 0 (stored as U8); all else is rounded to float16. Both
happens before any output is computed, so that the files hold exactly the weights that were used.
"""
import json
import math
import re

import numpy as np
import torch
from torch import nn

WIDE = 4096  # elements from which on a kernel is made of integers

# Which kernels, and how many inputs each output adds up. What a norm follows may add many; what is added to a stream
# adds few, so that the stream stays O(1).
TAPS = [
    (r"\.(in_layers\.2|conv1)\.weight$", 8),             # ResBlocks of U-Net and first stage: a norm follows
    (r"\.(out_layers\.3|conv2)\.weight$", 4),            # what they add to the stream
    (r"(\.op|\.conv|newmodel2\.0)\.weight$", 1.5),       # halving, doubling, taking the border away
    (r"\.skip_connection\.weight$", 1.5),
    (r"(time_embed\.2|emb_layers\.1)\.weight$", 4),       # of the diffusion time
    (r"\.attn\d\.to_(q|k|v|out\.0)\.weight$", 2),         # transformers
    (r"\.(ff\.net\.0\.proj|proj_in|proj_out)\.weight$", 3),
    (r"\.ff\.net\.2\.weight$", 4),
    (r"^block\d\.conv1\.weight$", 24),                   # Audio2AU: batch norm follows
    (r"^rnn\.rnn\.weight_ih_l0(_reverse)?$", 16),
    (r"^fc2\.0\.weight$", 3),
    (r"(^|\.)fc1\.weight$", 12),                          # fusion
    (r"weight_v$", 60),                                   # TACN: weight norm
]


def taps_of(name, parameter):
    """How many inputs each output of this kernel adds up, or None: not made of integers."""
    if parameter.numel() < WIDE:
        return None
    return next((taps for pattern, taps in TAPS if re.search(pattern, name)), None)


def round_all(module):
    """Everything to the nearest float16, in place."""
    with torch.no_grad():
        for tensor in list(module.parameters()) + list(module.buffers()):
            if tensor.is_floating_point():
                tensor.copy_(tensor.half().float())
    return module


def randomise(module):
    """From official defaults to weights that every part of the network has a visible effect with."""
    with torch.no_grad():
        for name, part in module.named_modules():
            if isinstance(part, (nn.GroupNorm, nn.LayerNorm, nn.BatchNorm2d, nn.InstanceNorm2d)):
                sign = torch.where(torch.rand_like(part.weight) < 0.4, -1.0, 1.0)
                part.weight.copy_(sign * torch.empty_like(part.weight).uniform_(0.5, 1.5))
                part.bias.normal_(0, 0.1)
                if name.endswith(("out_layers.0", "norm2")) and isinstance(part, nn.GroupNorm):
                    part.weight.mul_(0.5)  # before what is added to a stream
                if name.endswith("norm3"):
                    part.weight.mul_(0.4)  # before the product of two sums
        for name, parameter in module.named_parameters():
            if name.endswith(("proj_out.weight", "out.2.weight", "out_layers.3.weight")):  # official: zeros
                parameter.uniform_(-1, 1).div_(math.sqrt(parameter[0].numel()))
            if name.endswith(("to_q.weight", "to_k.weight", "attn_1.q.weight", "attn_1.k.weight")):
                parameter.mul_(3)  # else the softmax is flat
            if name.endswith("emb_layers.1.weight"):
                parameter.mul_(4)  # else the time has hardly any effect
            taps = taps_of(name, parameter)
            if taps is not None:
                parameter.copy_(integer_kernel(parameter.shape, taps))
    return round_all(module)


def integer_kernel(shape, taps):
    """Each output has about `taps` entries of 1 to 3, or 1 where there are few; all else is 0. All inputs have their
    turn before one is taken again, so that none is without effect."""
    kernel = torch.zeros(shape[0], shape[1], math.prod(shape[2:]))
    turn = []
    for output in kernel:
        for _ in range(max(1, int(taps + torch.rand(()).item()))):
            turn = turn or torch.randperm(shape[1]).tolist()
            value = torch.randint(1, 4 if taps >= 24 else 2, ()).item()
            output[turn.pop(), torch.randint(output.shape[1], ()).item()] = value
    return kernel.view(shape)


def trainable(module):
    """The parameters that are not made of integers."""
    return [p for name, p in module.named_parameters() if taps_of(name, p) is None]


def narrowest(tensor):
    """The smallest of U8, F16 and F32 that holds a float tensor's values exactly."""
    array = tensor.detach().contiguous().numpy()
    if array.dtype != np.float32:
        return array
    with np.errstate(invalid="ignore", over="ignore"):
        for kind in (np.uint8, np.float16):
            narrow = array.astype(kind)
            if np.array_equal(narrow.astype(np.float32), array) and not (kind == np.uint8 and array.size < WIDE):
                return narrow
    return array


def parameters_of(module, prefix=""):
    """`param/` entries of a module's state dict."""
    return {f"param/{prefix}{name}": narrowest(value) for name, value in module.state_dict().items()}


TYPES = {"float32": "F32", "float16": "F16", "float64": "F64", "int64": "I64", "int32": "I32", "int16": "I16",
         "uint8": "U8"}


def write(path, tensors, facts):
    """A safetensors file that is the same every time (the library's own writer shuffles the metadata): tensors sorted
    by width, then name; facts are the metadata, as strings."""
    arrays = {}
    for name, value in tensors.items():
        value = value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
        arrays[name] = np.array(value, order="C")
    order = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name))
    header, offset = {"__metadata__": {key: str(facts[key]) for key in sorted(facts)}}, 0
    for name in order:
        end = offset + arrays[name].nbytes
        header[name] = dict(dtype=TYPES[str(arrays[name].dtype)], shape=list(arrays[name].shape),
                            data_offsets=[offset, end])
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in order:
            file.write(arrays[name].tobytes())
