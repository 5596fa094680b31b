# SPDX-License-Identifier: MIT
"""The official code (MFTFG-AU/Multimodal-Fusion-for-Talking), imported from a checkout and changed at run time.

Nothing of it is copied here. What is changed, and why, is said at each change;
tests/data/parity/README.md has the list.
"""
import ast
import contextlib
import importlib
import os
import sys
import tempfile
import types

import cv2
import numpy as np
import torch
from omegaconf import OmegaConf
from PIL import Image
from torch import nn

CONTEXT_FEATURES = 8  # what the official U-Net cuts out of TACN's channels


class _Lightning(nn.Module):
    """All that the official code needs of pytorch_lightning.LightningModule."""

    @property
    def device(self):
        return torch.device("cpu")


def _stub(name, **members):
    module = types.ModuleType(name)
    module.__dict__.update(members)
    sys.modules[name] = module


@contextlib.contextmanager
def replaced(target, **members):
    """Attributes of an object, replaced for a while."""
    old = {name: getattr(target, name) for name in members}
    for name, value in members.items():
        setattr(target, name, value)
    try:
        yield
    finally:
        for name, value in old.items():
            setattr(target, name, value)


@contextlib.contextmanager
def quiet():
    """The official code prints much."""
    with open(os.devnull, "w") as null, contextlib.redirect_stdout(null), contextlib.redirect_stderr(null):
        yield


class Official:
    """The modules of a checkout, and constructors for small versions of its networks."""

    def __init__(self, folder):
        self.folder = os.path.abspath(folder)
        sys.dont_write_bytecode = True
        sys.path.insert(0, os.path.join(self.folder, "scripts"))
        _stub("pytorch_lightning", LightningModule=_Lightning)
        _stub("pytorch_lightning.utilities")
        _stub("pytorch_lightning.utilities.distributed", rank_zero_only=lambda f: f)
        _stub("main", DataModuleFromConfig=lambda **_: None)  # inference.py makes one and does not use it
        # There is no GPU.
        torch.Tensor.cuda = lambda self, *_, **__: self
        nn.Module.cuda = lambda self, *_, **__: self
        torch.cuda.FloatTensor = torch.FloatTensor
        with quiet():
            self.attention = importlib.import_module("ldm.modules.attention")
            self.unet = importlib.import_module("ldm.modules.diffusionmodules.openaimodel")
            self.encoders = importlib.import_module("ldm.modules.encoders.modules")
            self.autoencoder = importlib.import_module("ldm.models.autoencoder")
            self.ddim = importlib.import_module("ldm.models.diffusion.ddim_ldm_ref_inpaint")
            self.ddpm = importlib.import_module("ldm.models.diffusion.ddpm_talking")
            self.dataset = importlib.import_module("ldm.data.talk_data_ref_smooth_inference")
            self.tcn = importlib.import_module("tcn")
        self.ddim.DDIMSampler.register_buffer = lambda sampler, name, value: setattr(sampler, name, value)
        self._register_keys_and_values()
        self._attend_in_every_block()

    def _register_keys_and_values(self):
        """CrossAttention makes new random to_k and to_v in every call: here each instance keeps its own."""
        attention, cross = self.attention, self.attention.CrossAttention
        build, forward = cross.__init__, cross.forward

        def init(self, query_dim, context_dim=None, heads=8, dim_head=64, dropout=0.):
            build(self, query_dim, context_dim, heads, dim_head, dropout)
            inner, wide = heads * dim_head, context_dim or query_dim
            self.to_k, self.to_v = nn.Linear(wide, inner, bias=False), nn.Linear(wide, inner, bias=False)

        def call(self, x, context=None, mask=None):
            with replaced(attention, to_k=lambda *_: self.to_k, to_v=lambda *_: self.to_v):
                return forward(self, x, context, mask)

        cross.__init__, cross.forward = init, call

    def _attend_in_every_block(self):
        """TemporalBlock has its attention for 512 and 1024 channels only: here for all."""
        tcn, build = self.tcn, self.tcn.TemporalBlock.__init__

        def init(self, n_inputs, n_outputs, *args, **kwargs):
            build(self, n_inputs, n_outputs, *args, **kwargs)
            if not hasattr(self, "att"):
                self.att = tcn.MultiHeadAttention(n_head=4, d_model=50, d_k=14, d_v=14)

        tcn.TemporalBlock.__init__ = init

    # Networks, in eval mode.

    def make_unet(self, mult, blocks, head_channels, channels=32):
        """The U-Net. Official are 256 channels and 4 levels; `newmodel` and `newmodel2` are for these."""
        model = self.unet.UNetModel(**self.unet_config(mult, blocks, head_channels, channels))
        self.fit_border(model, channels, mult)
        return model.eval()

    def unet_config(self, mult, blocks, head_channels, channels=32):
        return dict(image_size=64, in_channels=9, out_channels=3, model_channels=channels, num_res_blocks=blocks,
                    attention_resolutions=[8, 4, 2], channel_mult=list(mult), num_head_channels=head_channels,
                    use_spatial_transformer=True, transformer_depth=1, context_dim=CONTEXT_FEATURES)

    def fit_border(self, model, channels, mult):
        """newmodel2 is 256 wide: here as wide as the U-Net. The padding of 2 makes 28 (or 12) a multiple of 8; with
        fewer levels there is nothing to be made room for, so that padding is 0 and the kernel 1."""
        padding = 2 if len(mult) == 4 else 0
        model.newmodel[0] = nn.Conv2d(9, 9, 1, padding=padding)
        model.newmodel2[0] = nn.Conv2d(channels, channels, 2 * padding + 1)

    def make_first_stage(self, mult, blocks, codes, channels=32):
        with quiet():
            return self.autoencoder.VQModelInterface(**self.first_stage_config(mult, blocks, codes, channels)).eval()

    def first_stage_config(self, mult, blocks, codes, channels=32):
        return dict(embed_dim=3, n_embed=codes, lossconfig=dict(target="torch.nn+Identity"),
                    ddconfig=dict(double_z=False, z_channels=3, resolution=256, in_channels=3, out_ch=3, ch=channels,
                                  ch_mult=list(mult), num_res_blocks=blocks, attn_resolutions=[], dropout=0.))

    def make_audio2au(self, hidden):
        model = self.ddpm.Audio2AU.__new__(self.ddpm.Audio2AU)
        self.fit_unit(model, self.ddpm.Audio2AU.__init__, hidden)
        return model

    def fit_unit(self, model, build, hidden):
        """Audio2AU: its first fc is made for 128 hidden units. Eval mode (official: train mode)."""
        build(model, hidden)
        model.fc1[0] = nn.Linear(2 * hidden, 128)
        model.eval()

    def make_generator(self, conv_dim, repeat_num=6):
        return self.ddpm.Generator(conv_dim, repeat_num).eval()

    @contextlib.contextmanager
    def small_fusion(self, tacn_channels, latent_size):
        """DiffusionWrapper's [512, 1024] and 3*28*28 are constants: others while this lasts."""
        build = self.ddpm.DiffusionWrapper.__init__
        make = self.tcn.TemporalConvNet

        def init(wrapper, *args, **kwargs):
            build(wrapper, *args, **kwargs)
            wrapper.fc1 = nn.Linear(3 * latent_size * latent_size, 112)

        with replaced(self.ddpm, TemporalConvNet=lambda inputs, _: make(inputs, list(tacn_channels))), \
                replaced(self.ddpm.DiffusionWrapper, __init__=init):
            yield

    def make_latent_diffusion(self, sizes):
        """LatentDiffusion as the official yaml has it, in other sizes and without EMA."""
        unet, first_stage = sizes["unet"], sizes["first_stage"]
        encoders = "ldm.modules.encoders.modules+"
        with quiet(), self.small_fusion(sizes["tacn"], sizes["latent_size"]):
            model = self.ddpm.LatentDiffusion(
                first_stage_config=dict(target="ldm.models.autoencoder+VQModelInterface",
                                        params=self.first_stage_config(**first_stage)),
                cond_stage_config_audio=dict(target=encoders + "AudioNet", params=dict(dim_aud=64, win_size=16)),
                cond_stage_config_audio_smooth=dict(target=encoders + "AudioAttNet", params=dict(dim_aud=32)),
                cond_stage_config_ldm=dict(target=encoders + "LdmNet"),
                unet_config=dict(target="ldm.modules.diffusionmodules.openaimodel+UNetModel",
                                 params=self.unet_config(**unet)),
                linear_start=0.0015, linear_end=0.0195, num_timesteps_cond=1, log_every_t=200, timesteps=1000,
                first_stage_key="image", cond_stage_key="audio", image_size=28, channels=3, cond_stage_trainable=True,
                conditioning_key="crossattn", monitor=None, use_ema=False)
        self.fit_border(model.model.diffusion_model, 32, unet["mult"])
        return model.eval()

    # Preprocessing.

    def mfcc(self, samples):
        """The official wav_to_mfcc on int16 samples: {stage: array}, with `mfcc` (12, T) last.

        Its writer fails on numpy >= 1.18 (expand_dims on an axis that is not there): left out."""
        folder = os.path.join(self.folder, "pre_data_code", "grid_data_process")
        if folder not in sys.path:
            sys.path.append(folder)
        module = importlib.import_module("mfcc")
        np, sigproc = module.np, module.sigproc
        stages = {"lifter": module.ceplifter_coefficients(13, 22),
                  "filterbank": module.get_filterbanks_alt(13, 512, 16000, 300, 3700)}
        products = []

        def kept(name, function, argument=None):
            def call(*args, **kwargs):
                stages[name] = function(*args, **kwargs)
                if argument is not None:
                    stages[argument] = args[0]
                return stages[name]
            return call

        multiply = np.matmul

        def product(a, b):
            products.append((a, multiply(a, b)))
            return products[-1][1]

        with replaced(module.wavfile, read=lambda _: (16000, samples)), \
                replaced(sigproc, preemphasis=kept("preemphasis", sigproc.preemphasis),
                         magspec=kept("magspec", sigproc.magspec, "frames")), \
                replaced(np, log=kept("log_fbank", np.log), matmul=product, expand_dims=lambda data, axis: None,
                         save=lambda path, data: None):
            module.wav_to_mfcc("", "")
        stages["dct"], stages["mfcc"] = products[0][0], products[-1][1][1:]
        return stages

    def alignment(self):
        """The alignment's functions of process_GRID.py, which as a whole needs dlib and a data set."""
        path = os.path.join(self.folder, "pre_data_code", "grid_data_process", "process_GRID.py")
        with open(path) as file:
            tree = ast.parse(file.read())
        wanted = {"transformation_from_points", "warp_im"}
        tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in wanted]
        space = types.SimpleNamespace(np=np, cv2=cv2)
        exec(compile(tree, path, "exec"), space.__dict__)
        return space

    @contextlib.contextmanager
    def dataset_of(self, folder, latent_size=28):
        """Official datasets made meanwhile read `folder`'s list; their 28 for the inference mask is replaced."""
        resize = Image.Image.resize

        def other_size(image, size, *args, **kwargs):
            return resize(image, (latent_size, latent_size) if tuple(size) == (28, 28) else size, *args, **kwargs)

        def open_list(path, *args):
            return open(os.path.join(folder, "list.txt") if path.endswith("grid_test.txt") else path, *args)

        before = os.getcwd()
        with tempfile.TemporaryDirectory() as work:
            os.makedirs(os.path.join(work, "data", "HDTF"))
            for name in ("data_test.txt", "HDTF/data.txt"):  # opened, not used
                open(os.path.join(work, "data", name), "w").close()
            os.chdir(work)
            self.dataset.open = open_list
            self.dataset.TALKBase.__len__ = lambda _: 1  # official: 600, whatever the list
            try:
                with replaced(Image.Image, resize=other_size):
                    yield work
            finally:
                os.chdir(before)

    # The whole.

    def run_inference(self, folder, sizes, states, x_T, renoise):
        """Executes the official inference.py on a clip's folder: ({name: tensor}, its variables).

        states: state dicts "model", "units" (five) and "generator"; renoise: the inpainting's noise of each step."""
        seen, space = {"x_steps": []}, {"__name__": "inference"}

        def fit_classes():
            """The sizes in inference.py's own classes and calls; once."""
            unit, generator = space["Audio2AU"].__init__, space["Generator"].__init__
            picture = [sizes["image_size"]] * 2  # official: 112
            space["Audio2AU"].__init__ = lambda new, hidden_size: self.fit_unit(new, unit, sizes["au_hidden"])
            space["Generator"].__init__ = lambda new: generator(new, sizes["mask_channels"])
            space["cv2"] = types.SimpleNamespace(**{**vars(cv2), "resize": lambda image, _: cv2.resize(image, picture)})

        def configuration(_):
            if space["cv2"] is cv2:  # the first time: inference.py has its classes now
                fit_classes()
            reader = dict(target="ldm.data.talk_data_ref_smooth_inference+TalkValidation",
                          params=dict(size=sizes["image_size"]))
            return OmegaConf.create(dict(model=dict(target="parity_model+make"), data=dict(
                target="main+DataModuleFromConfig", params=dict(validation=reader))))

        def load(path, *_, **__):
            if path.endswith("model.ckpt"):
                return dict(state_dict=states["model"])
            if path.endswith(".tar"):
                return dict(unet_state_dict2=states["generator"])
            return states["units"][int(os.path.basename(path)[len("audio2AU"):][:2])]

        _stub("parity_model", make=lambda: self._observed(sizes, seen, renoise))
        sampler = self.ddim.DDIMSampler
        sample, step = sampler.sample, sampler.p_sample_ddim

        def sample_given(self, _, *args, **kwargs):  # official: 200 steps, random x_T
            return sample(self, len(renoise), *args, x_T=x_T, **kwargs)

        def step_seen(self, *args, **kwargs):
            out = step(self, *args, **kwargs)
            seen["x_steps"].append(out[0])
            return out

        path = os.path.join(self.folder, "scripts", "inference.py")
        with open(path) as file:
            code = compile(file.read(), path, "exec")
        with self.dataset_of(folder, sizes["latent_size"]) as work, quiet(), \
                replaced(OmegaConf, load=configuration), replaced(torch, load=load), \
                replaced(sampler, sample=sample_given, p_sample_ddim=step_seen), \
                replaced(sys, argv=["inference.py", "--numworkers", "0", "--save_dir", work]):
            exec(code, space)
        seen["x_steps"] = torch.stack(seen["x_steps"])
        return seen, space

    def _observed(self, sizes, seen, renoise):
        """A LatentDiffusion that notes what passes, and renoises with the given noise."""
        model = self.make_latent_diffusion(sizes)

        def first(name, value):
            if name not in seen:
                seen[name] = value.detach().clone()

        def fused(_, inputs, out):
            first("fused", inputs[0])
            first("tacn", out)

        model.model.fc2.register_forward_hook(lambda _, __, out: first("f2", out))
        model.model.tacn.register_forward_hook(fused)
        model.first_stage_model.quantize.register_forward_hook(
            lambda _, __, out: seen.update(indices=out[2][2]))  # the last one stays
        apply, noise, encode = model.apply_model, model.q_sample, model.first_stage_model.encode
        steps = iter(renoise)

        def applied(*args, **kwargs):
            out = apply(*args, **kwargs)
            first("eps_step0", out)
            return out

        model.apply_model = applied
        model.q_sample = lambda x, t: noise(x, t, next(steps))
        # Group norm of channels-last tensors, which the official code hands over, is imprecise.
        model.first_stage_model.encode = lambda x: encode(x.contiguous())
        return model
