#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tests/units/training/checkpoints/lightning.pt: a small genuine torch.save file, structured like
one of Lightning (needs PyTorch; the file that is committed is of 2.11.0).

    python scripts/make_test_checkpoint.py tests/units/training/checkpoints/lightning.pt
"""
import argparse
import collections
import sys

import numpy
import torch

shared = torch.arange(12, dtype=torch.float32)
state = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2)).state_dict()
state["0.weight"] = torch.arange(6, dtype=torch.float32).reshape(2, 3)
state["half"] = torch.tensor([0.5, -2.0], dtype=torch.float16)
state["bfloat16"] = torch.tensor([[1.5], [-3.0]], dtype=torch.bfloat16)
state["double"] = torch.tensor(0.25, dtype=torch.float64)
state["transposed"] = shared.reshape(3, 4).t()
state["column"] = shared.reshape(3, 4)[:, 1]
state["tail"] = shared[8:]
state["bool"] = torch.tensor([True, False])
state["empty"] = torch.zeros(0, 3)
parameter = torch.nn.Parameter(torch.ones(2))
optimizer = torch.optim.Adam([parameter])
parameter.sum().backward()
optimizer.step()
nested = []
nested.append(nested)
torch.save({
    "epoch": 3,
    "global_step": 2 ** 40,
    "pytorch-lightning_version": "1.4.2",
    "state_dict": state,
    "optimizer_states": [optimizer.state_dict()],
    "callbacks": {"ModelCheckpoint": {"best": numpy.float64(0.5), "seen": {1, 2}}},
    "hyper_parameters": argparse.Namespace(lr=1e-6, betas=(0.9, 0.999), size=torch.Size([1, 2])),
    "counts": collections.Counter("abca"),
    "array": numpy.arange(4),
    "nested": nested,
    "parameter": parameter,
}, sys.argv[1])
