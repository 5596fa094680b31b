#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the pack mediapipe-face out of the face nets in the installed mediapipe wheel.

  convert_mediapipe.py --output BUILD/models/packs/mediapipe-face

Each tflite net becomes one safetensors file: its weights widened to float32 in libtorch's order
(output, input, height, width), and the wiring as JSON in the metadata under "graph":

  {"input": [height, width, channels], "outputs": [value, ...],
   "ops": [{"op": "CONV_2D", "in": [value, ...], "out": value, ...}, ...]}

Values are numbers; the input is value 0. models/vision/net.h runs it. MediaPipe is Apache-2.0: its
licence goes into the pack.
"""
import argparse
import hashlib
import importlib.util
import json
import os
import struct
import sys

import numpy as np
import tflite

VERSION = "0.10.14"
NETS = {
    "detector": ("modules/face_detection/face_detection_short_range.tflite", "face_detector.safetensors"),
    "mesh": ("modules/face_landmark/face_landmark.tflite", "face_mesh.safetensors"),
}
# The constants of the graphs that MediaPipe wires round the nets (face_detection_short_range.pbtxt,
# face_landmark_cpu.pbtxt); distances are fractions of the region that a net is shown.
SETTINGS = {
    "detector_input_px": 128,
    "detector_strides": [8, 16, 16, 16],
    "detector_suppression_overlap": 0.3,
    "mesh_input_px": 192,
    "mesh_region_scale": 1.5,
}
DTYPES = {tflite.TensorType.FLOAT32: np.float32, tflite.TensorType.FLOAT16: np.float16,
          tflite.TensorType.INT32: np.int32}
OP_NAMES = {number: name for name, number in vars(tflite.BuiltinOperator).items() if isinstance(number, int)}
ACTIVATIONS = {tflite.ActivationFunctionType.NONE: False, tflite.ActivationFunctionType.RELU: True}


class Converter:
    """One net: reads the flatbuffer, gathers `tensors` (name -> array) and `graph`."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.model = tflite.Model.GetRootAs(file.read(), 0)
        self.path = path
        self.net = self.model.Subgraphs(0)
        self.constants = {}  # tensor number -> array, dequantised
        self.values = {self.net.Inputs(0): 0}
        self.tensors = {}
        shape = self.shape(self.net.Inputs(0))
        self.graph = {"input": shape[1:], "ops": []}
        for i in range(self.net.OperatorsLength()):
            self.convert(self.net.Operators(i))
        self.graph["outputs"] = [self.values[self.net.Outputs(i)] for i in range(self.net.OutputsLength())]

    def fail(self, what):
        sys.exit(f"convert_mediapipe: {self.path}: {what}; wanted mediapipe=={VERSION}")

    def shape(self, tensor):
        return [int(n) for n in self.net.Tensors(tensor).ShapeAsNumpy()]

    def constant(self, tensor):
        """The array stored for a tensor, or None where an op computes it."""
        if tensor not in self.constants:
            info = self.net.Tensors(tensor)
            buffer = self.model.Buffers(info.Buffer())
            if buffer.DataLength() == 0:
                return None
            if info.Type() not in DTYPES:
                self.fail(f"tensor {info.Name().decode()} has type {info.Type()}")
            array = np.frombuffer(buffer.DataAsNumpy().tobytes(), DTYPES[info.Type()])
            self.constants[tensor] = array.reshape(self.shape(tensor))
        return self.constants[tensor]

    def store(self, name, array):
        self.tensors[name] = np.ascontiguousarray(array, dtype=np.float32)
        return name

    def options(self, op, kind):
        table = op.BuiltinOptions()
        options = kind()
        options.Init(table.Bytes, table.Pos)
        return options

    def convert(self, op):
        name = OP_NAMES[self.model.OperatorCodes(op.OpcodeIndex()).BuiltinCode()]
        inputs = [int(n) for n in op.InputsAsNumpy()]
        out = int(op.Outputs(0))
        if name == "DEQUANTIZE":  # half-precision weights: widened here, once
            self.constants[out] = self.constant(inputs[0]).astype(np.float32)
            return
        make = getattr(self, name.lower(), None)
        if make is None:
            self.fail(f"op {name} is not known")
        self.values[out] = len(self.values)
        entry = {"op": name, "in": [self.values[i] for i in inputs if i in self.values], "out": self.values[out]}
        entry.update(make(op, inputs, out))
        self.graph["ops"].append(entry)

    def relu_after(self, options):
        activation = options.FusedActivationFunction()
        if activation not in ACTIVATIONS:
            self.fail(f"fused activation {activation} is not known")
        return ACTIVATIONS[activation]

    def window(self, options):
        return {"stride": [options.StrideH(), options.StrideW()],
                "same": options.Padding() == tflite.Padding.SAME, "relu": self.relu_after(options)}

    def conv_2d(self, op, inputs, out):
        weight = self.store(f"{self.values[out]}.weight", self.constant(inputs[1]).transpose(0, 3, 1, 2))
        bias = self.store(f"{self.values[out]}.bias", self.constant(inputs[2]))
        return {"weight": weight, "bias": bias, **self.window(self.options(op, tflite.Conv2DOptions))}

    def depthwise_conv_2d(self, op, inputs, out):
        weight = self.store(f"{self.values[out]}.weight", self.constant(inputs[1]).transpose(3, 0, 1, 2))
        bias = self.store(f"{self.values[out]}.bias", self.constant(inputs[2]))
        return {"weight": weight, "bias": bias, **self.window(self.options(op, tflite.DepthwiseConv2DOptions))}

    def max_pool_2d(self, op, inputs, out):
        options = self.options(op, tflite.Pool2DOptions)
        return {"size": [options.FilterHeight(), options.FilterWidth()], **self.window(options)}

    def prelu(self, op, inputs, out):
        return {"weight": self.store(f"{self.values[out]}.slope", self.constant(inputs[1]).reshape(-1))}

    def add(self, op, inputs, out):
        return {"relu": self.relu_after(self.options(op, tflite.AddOptions))}

    def relu(self, op, inputs, out):
        return {}

    def pad(self, op, inputs, out):
        return {"pads": self.constant(inputs[1]).tolist()}  # before and after: batch, height, width, channels

    def reshape(self, op, inputs, out):
        return {"shape": self.shape(out)}

    def concatenation(self, op, inputs, out):
        return {"axis": self.options(op, tflite.ConcatenationOptions).Axis()}


def write_safetensors(path, tensors, metadata):
    header, offset = {"__metadata__": metadata}, 0
    for name, array in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    data = struct.pack("<Q", len(text)) + text + b"".join(array.tobytes() for array in tensors.values())
    write(path, data)
    return hashlib.sha256(data).hexdigest()


def write(path, data):
    with open(path + ".part", "wb") as file:
        file.write(data)
    os.replace(path + ".part", path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True, help="the pack's folder, made if need be")
    parser.add_argument("--mediapipe", help="folder of the mediapipe package; default: where it is installed")
    arguments = parser.parse_args()
    package = arguments.mediapipe
    if package is None:
        spec = importlib.util.find_spec("mediapipe")
        if spec is None:
            sys.exit(f"convert_mediapipe: mediapipe is not installed: pip install --no-deps mediapipe=={VERSION}")
        package = spec.submodule_search_locations[0]
    os.makedirs(arguments.output, exist_ok=True)
    files = {}
    for name, (source, target) in NETS.items():
        net = Converter(os.path.join(package, source))
        digest = write_safetensors(os.path.join(arguments.output, target), net.tensors,
                                   {"graph": json.dumps(net.graph)})
        files[name] = {"file": target, "sha256": digest}
    with open(os.path.join(f"{package}-{VERSION}.dist-info", "LICENSE"), "rb") as licence:
        write(os.path.join(arguments.output, "LICENSE"), licence.read())
    manifest = {"schema": 1, "name": "mediapipe-face", "family": "vision", "version": VERSION,
                "licence": "Apache-2.0", "files": files, "vision": SETTINGS}
    write(os.path.join(arguments.output, "manifest.json"), (json.dumps(manifest, indent=2) + "\n").encode())


if __name__ == "__main__":
    main()
