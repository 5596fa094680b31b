#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The time that eager PyTorch takes for the U-Net and the first stage's decoder of docs/mftfg.md at
full size with random weights: the baseline of mftfg-bench. Layer for layer what the original code
calls, with keys and values as parameters. Needs `import torch` (scripts/setup.sh --full).

  mftfg_eager.py [--threads N] [--runs N] [--precision float32|bfloat16]... [--part unet|decoder]...
                 [--against build/tests/bench/mftfg-bench]

With --against, calls of the program and of PyTorch take turns, so that both see the same load, and the ratio is printed.
"""
import argparse
import statistics
import subprocess
import sys
import time

try:
    import torch
    import torch.nn as nn
    import torch.nn.functional as F
except ImportError as error:
    print(f"mftfg_eager.py: skipped, PyTorch cannot be imported here ({error}); scripts/setup.sh --full installs it")
    sys.exit(0)


class Norm(nn.GroupNorm):
    """Float32 at every precision, as the original code's GroupNorm32."""

    def __init__(self, channels, eps):
        super().__init__(32, channels, eps)

    def forward(self, x):
        return super().forward(x.float()).to(x.dtype)


class TokenNorm(nn.LayerNorm):
    def forward(self, x):
        return super().forward(x.float()).to(x.dtype)


def conv(inputs, outputs, kernel=3, stride=1, padding=1):
    return nn.Conv2d(inputs, outputs, kernel, stride, padding)


class ResBlock(nn.Module):
    def __init__(self, inputs, outputs, time=None, eps=1e-5):
        super().__init__()
        self.norm1, self.norm2 = Norm(inputs, eps), Norm(outputs, eps)
        self.conv1, self.conv2 = conv(inputs, outputs), conv(outputs, outputs)
        self.time = nn.Linear(time, outputs) if time else None
        self.skip = nn.Identity() if inputs == outputs else conv(inputs, outputs, 1, 1, 0)

    def forward(self, x, time=None):
        h = self.conv1(F.silu(self.norm1(x)))
        if self.time is not None:
            h = h + self.time(F.silu(time))[:, :, None, None]
        return self.skip(x) + self.conv2(F.silu(self.norm2(h)))


class CrossAttention(nn.Module):
    def __init__(self, channels, context, head):
        super().__init__()
        self.to_q = nn.Linear(channels, channels, bias=False)
        self.to_k = nn.Linear(context, channels, bias=False)
        self.to_v = nn.Linear(context, channels, bias=False)
        self.to_out = nn.Linear(channels, channels)
        self.head = head

    def heads(self, x):
        b, t, c = x.shape
        return x.view(b, t, c // self.head, self.head).transpose(1, 2).reshape(-1, t, self.head)

    def forward(self, x, context):
        b, t, c = x.shape
        q, k, v = self.heads(self.to_q(x)), self.heads(self.to_k(context)), self.heads(self.to_v(context))
        weights = torch.einsum("bid,bjd->bij", q, k) * self.head ** -0.5
        out = torch.einsum("bij,bjd->bid", weights.softmax(-1), v)
        return self.to_out(out.view(b, c // self.head, t, self.head).transpose(1, 2).reshape(b, t, c))


class Transformer(nn.Module):
    def __init__(self, channels, context=8, head=32):
        super().__init__()
        self.norm = Norm(channels, 1e-6)
        self.proj_in, self.proj_out = conv(channels, channels, 1, 1, 0), conv(channels, channels, 1, 1, 0)
        self.attn1, self.attn2 = CrossAttention(channels, channels, head), CrossAttention(channels, context, head)
        self.wide, self.out = nn.Linear(channels, 8 * channels), nn.Linear(4 * channels, channels)
        self.norms = nn.ModuleList(TokenNorm(channels) for _ in range(3))

    def forward(self, x, context):
        h = self.proj_in(self.norm(x))
        b, c, rows, columns = h.shape
        h = h.flatten(2).transpose(1, 2)
        own = self.norms[0](h)
        h = h + self.attn1(own, own)
        h = h + self.attn2(self.norms[1](h), context)
        value, gate = self.wide(self.norms[2](h)).chunk(2, -1)
        h = h + self.out(value * F.gelu(gate))
        return x + self.proj_out(h.transpose(1, 2).reshape(b, c, rows, columns))


class Upsample(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = conv(channels, channels)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2, mode="nearest"))


class Unet(nn.Module):
    def __init__(self, width=256, mult=(1, 2, 3, 4), blocks=2):
        super().__init__()
        time, now, skips = 4 * width, width, [width]
        self.time = nn.Sequential(nn.Linear(width, time), nn.SiLU(), nn.Linear(time, time))
        self.border, self.unborder = conv(9, 9, 1, 1, 2), conv(width, width, 5, 1, 0)
        self.inputs = nn.ModuleList([nn.ModuleList([conv(9, width)])])
        for level, factor in enumerate(mult):
            for _ in range(blocks):
                self.inputs.append(self.stage(now, factor * width, time, level))
                now = factor * width
                skips.append(now)
            if level + 1 < len(mult):
                self.inputs.append(nn.ModuleList([conv(now, now, 3, 2)]))
                skips.append(now)
        self.middle = nn.ModuleList([ResBlock(now, now, time), Transformer(now), ResBlock(now, now, time)])
        self.outputs = nn.ModuleList()
        for level, factor in reversed(list(enumerate(mult))):
            for i in range(blocks + 1):
                stage = self.stage(now + skips.pop(), factor * width, time, level)
                now = factor * width
                if level and i == blocks:
                    stage.append(Upsample(now))
                self.outputs.append(stage)
        self.out = nn.Sequential(Norm(width, 1e-5), nn.SiLU(), conv(width, 3))
        self.width = width

    @staticmethod
    def stage(inputs, outputs, time, level):
        return nn.ModuleList([ResBlock(inputs, outputs, time)] + ([Transformer(outputs)] if level else []))

    @staticmethod
    def run(stage, x, time, context):
        for layer in stage:
            if isinstance(layer, ResBlock):
                x = layer(x, time)
            elif isinstance(layer, Transformer):
                x = layer(x, context)
            else:
                x = layer(x)
        return x

    def forward(self, x, t, context):
        half = self.width // 2
        angles = t[:, None].float() * torch.exp(-9.210340371976184 * torch.arange(half) / half)
        time = self.time(torch.cat([angles.cos(), angles.sin()], 1).to(x.dtype))
        x = self.border(x)
        skips = []
        for stage in self.inputs:
            x = self.run(stage, x, time, context)
            skips.append(x)
        x = self.run(self.middle, x, time, context)
        for stage in self.outputs:
            x = self.run(stage, torch.cat([x, skips.pop()], 1), time, context)
        return self.out(self.unborder(x))


class VqAttention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm = Norm(channels, 1e-6)
        self.q, self.k, self.v, self.out = (conv(channels, channels, 1, 1, 0) for _ in range(4))

    def forward(self, x):
        h = self.norm(x)
        q, k, v = (layer(h).flatten(2) for layer in (self.q, self.k, self.v))
        weights = torch.bmm(q.transpose(1, 2), k) * x.shape[1] ** -0.5
        return x + self.out(torch.bmm(v, weights.softmax(2).transpose(1, 2)).view(x.shape))


class Decoder(nn.Module):
    def __init__(self, width=128, mult=(1, 2, 4), blocks=2):
        super().__init__()
        now = width * mult[-1]
        layers = [conv(3, 3, 1, 1, 0), conv(3, now), ResBlock(now, now, eps=1e-6), VqAttention(now),
                  ResBlock(now, now, eps=1e-6)]
        for level, factor in reversed(list(enumerate(mult))):
            for _ in range(blocks + 1):
                layers.append(ResBlock(now, factor * width, eps=1e-6))
                now = factor * width
            if level:
                layers.append(Upsample(now))
        self.layers = nn.Sequential(*layers, Norm(now, 1e-6), nn.SiLU(), conv(now, 3))

    def forward(self, z):
        return self.layers(z)


def timed_ms(run):
    start = time.perf_counter()
    run()
    return 1e3 * (time.perf_counter() - start)


class Rival:
    """mftfg-bench, waiting to be told to run a part."""

    def __init__(self, program, options, precision):
        self.process = subprocess.Popen(
            [program, "--follow", "--threads", str(options.threads), "--precision", precision],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run_ms(self, part):
        self.process.stdin.write(part + "\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def report(who, part, precision, times):
    print(f"{who} {part} {precision}: median {statistics.median(times):.0f} ms, best {min(times):.0f} ms", flush=True)


def measure(part, precision, run, options):
    rival = Rival(options.against, options, precision) if options.against else None
    run()
    eager, ours = [], []
    if rival:
        rival.run_ms(part)
    for _ in range(options.runs):
        eager.append(timed_ms(run))
        if rival:
            ours.append(rival.run_ms(part))
    report("eager", part, precision, eager)
    if rival:
        rival.close()
        report("talkface", part, precision, ours)
        print(f"ratio {part} {precision}: median {statistics.median(ours) / statistics.median(eager):.2f}, "
              f"best {min(ours) / min(eager):.2f}", flush=True)


def to_precision(model, precision):
    model = model.to(precision)
    for module in model.modules():
        if isinstance(module, (Norm, TokenNorm)):
            module.float()
    return model.eval()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--precision", action="append", choices=["float32", "bfloat16"])
    parser.add_argument("--part", action="append", choices=["unet", "decoder"])
    parser.add_argument("--against", metavar="PROGRAM", help="mftfg-bench, to take turns with")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for part in options.part or ["unet", "decoder"]:
        for name in options.precision or ["float32", "bfloat16"]:
            precision = getattr(torch, name)
            with torch.no_grad():
                model = to_precision(Unet() if part == "unet" else Decoder(), precision)
                if part == "unet":
                    inputs = (torch.randn(1, 9, 28, 28, dtype=precision), torch.tensor([500]),
                              torch.randn(1, 1, 8, dtype=precision))
                else:
                    inputs = (torch.randn(1, 3, 28, 28, dtype=precision),)
                measure(part, name, lambda: model(*inputs), options)


if __name__ == "__main__":
    main()
