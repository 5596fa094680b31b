# SPDX-License-Identifier: MIT
"""The files a to g: speech features, and one network each."""
import copy

import numpy as np
import torch
from torch import nn

import synthetic
import weights
from codebook import code_margin, draw_codebook, unit_latents
from official import quiet

SPEECH_SAMPLES = 40000  # 50 frames need 37360
SEED = 7


class Case:
    """One file: how its networks are built, its inputs, and what the official code makes of them."""
    name, facts = "", {}

    def build(self, official):
        """{prefix of the parameters' names: network}."""
        return {}

    def prepare(self, official, networks):
        for network in networks.values():
            weights.randomise(network)

    def inputs(self, official, networks):
        return {}

    def compute(self, official, networks, inputs):
        """{"mid/..", "out/..": tensor}."""
        raise NotImplementedError

    def parameters(self, networks):
        return {name: value for prefix, network in networks.items()
                for name, value in weights.parameters_of(network, prefix).items()}


def hook(module, keep, name, choose=lambda inputs, out: out):
    """Keeps what comes out of a module, the first time."""
    def note(_, inputs, out):
        if name not in keep:
            keep[name] = choose(inputs, out).detach().clone()

    module.register_forward_hook(note)


def float32(array):
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))


def half_noise(*shape):
    return torch.randn(*shape).half().float()


def whole_noise(*shape):
    """Normal noise rounded to whole numbers, exact in two bytes (the consumer multiplies it as it is)."""
    return torch.randn(*shape).round().to(torch.int16)


def windows(official, count=50):
    """Of the speech of all files, [count, 12, 35, 1]; the networks get columns 3 to 27."""
    mfcc = official.mfcc(synthetic.speech(SPEECH_SAMPLES, SEED))["mfcc"]
    return np.stack([mfcc[:, 4 * i:4 * i + 35] for i in range(count)])[..., None]


class Mfcc(Case):
    name = "a_mfcc"
    facts = dict(note="wave int16 -> (12,T) mfcc; windows35: the first 4 of the official file's 66; windows25 "
                      "(50,12,25,1) what the models see")
    edges = ("short300", "exact400", "n401", "exact1200", "silence_then_noise")

    def inputs(self, official, networks):
        wave = synthetic.speech(SPEECH_SAMPLES, SEED)
        rng = np.random.default_rng(SEED)
        silence = np.concatenate([np.zeros(2400), rng.normal(0, 800, 2400)]).astype(np.int16)
        cuts = dict(short300=wave[5000:5300], exact400=wave[6000:6400], n401=wave[7000:7401],
                    exact1200=wave[8000:9200], silence_then_noise=silence)
        return {"in/wave": wave, **{f"in/edge_{name}": cuts[name] for name in self.edges}}

    def compute(self, official, networks, inputs):
        stages = official.mfcc(np.asarray(inputs["in/wave"]))
        some = [0, 20, 100]
        out = {"mid/preemph_head": stages["preemphasis"][:800],
               "mid/frames_windowed_0_20_100": stages["frames"][some],
               "mid/magspec_0_20_100": stages["magspec"][some],
               "mid/filterbank": stages["filterbank"], "mid/log_fbank": stages["log_fbank"],
               "out/mfcc": stages["mfcc"]}
        out["out/windows35"] = np.stack([stages["mfcc"][:, 4 * i:4 * i + 35] for i in range(4)])[..., None]
        out["out/windows25"] = windows(official)[:, :, 3:28]
        for name in self.edges:
            out[f"out/edge_{name}"] = official.mfcc(np.asarray(inputs[f"in/edge_{name}"]))["mfcc"]
        out = {name: float32(value) for name, value in out.items()}
        out.update({"mid/filterbank_f64": stages["filterbank"], "mid/dct_matrix_f64": stages["dct"],
                    "mid/lifter_f64": stages["lifter"], "out/mfcc_f64": stages["mfcc"]})
        return out


def prepare_audio2au(unit, mfcc):
    """Weights, and batch statistics that are near, but not equal to, those of the clip."""
    weights.randomise(unit)
    with torch.no_grad():
        for name, parameter in unit.rnn.named_parameters():
            if weights.taps_of(f"rnn.{name}", parameter) is None:
                parameter.mul_(2)
        unit.fc1[0].weight.mul_(3)
        unit.block5.bn1.weight.mul_(0.25), unit.block5.bn1.bias.mul_(0.25)  # else the LSTM's gates are all open or shut
        x = mfcc.squeeze(-1).unsqueeze(1)
        for block in (unit.block1, unit.block2, unit.block3, unit.block4, unit.block5):
            block.bn1.train().momentum = 1.0
            block(x)
            block.bn1.eval().momentum = 0.1
            spread = block.bn1.running_var.sqrt()
            block.bn1.running_mean += 0.2 * spread * torch.randn_like(spread)
            block.bn1.running_var *= torch.empty_like(spread).uniform_(0.7, 1.4)
            weights.round_all(block)
            x = block(x)
    weights.round_all(unit)


class Audio2AU(Case):
    name = "b_audio2au"
    facts = dict(hidden_size=4, note="mid/block1..5: the first frames; out/* official call = 50 sequences of length 1; "
                                     "*_seq50 = one sequence of 50; *_batchstats = BatchNorm in train mode (batch "
                                     "statistics), dropout off")

    def build(self, official):
        return {"": official.make_audio2au(self.facts["hidden_size"])}

    def prepare(self, official, networks):
        prepare_audio2au(networks[""], float32(windows(official)[:, :, 3:28]))

    def inputs(self, official, networks):
        return {"in/mfcc": float32(windows(official)[:, :, 3:28])}

    def compute(self, official, networks, inputs):
        unit, out = copy.deepcopy(networks[""]), {}
        blocks = (unit.block1, unit.block2, unit.block3, unit.block4, unit.block5)
        for i, frames in enumerate((1, 1, 2, 4, 8)):
            hook(blocks[i], out, f"mid/block{i + 1}", lambda _, x, frames=frames: x[:frames])
        single = inputs["in/mfcc"].unsqueeze(1).permute(0, 4, 1, 2, 3)  # as inference.py: [50, 1, 1, 12, 25]
        out["out/rnn"], out["out/feature"] = unit(single)
        out["out/rnn_seq50"], out["out/feature_seq50"] = unit(single.transpose(0, 1))
        for block in blocks:
            block.bn1.train()
        out["out/rnn_batchstats"], out["out/feature_batchstats"] = unit(single)
        return out


class Encoders(Case):
    name = "c_audio_landmark"
    frames = 10

    def build(self, official):
        encoders = official.encoders
        return {"cond_stage_model_for_audio.": encoders.AudioNet(dim_aud=64, win_size=16).eval(),
                "cond_stage_model_for_audio_smooth.": encoders.AudioAttNet(dim_aud=32).eval(),
                "cond_stage_model_for_ldm.": encoders.LdmNet().eval()}

    def prepare(self, official, networks):
        prepare_encoders(*networks.values())

    def inputs(self, official, networks):
        points = np.stack([synthetic.landmarks(5 * i, SEED) for i in range(self.frames)]) * (112 / 128)
        return {"in/mfcc": float32(windows(official)[::5, :, 3:28, 0]),
                "in/landmarks39": float32(np.concatenate([points[:, :4], points[:, 13:48]], 1))}

    def compute(self, official, networks, inputs):
        audio, smooth, landmarks = networks.values()
        out = {}
        hook(audio.encoder_conv, out, "mid/audio_conv")
        hook(smooth.attentionNet, out, "mid/att_weights")
        out["mid/audio64"] = audio(inputs["in/mfcc"].reshape(-1, 12, 25))  # as get_learned_conditioning
        out["out/audio8"] = smooth(out["mid/audio64"].reshape(self.frames, 8, -1))
        out["out/ldm64"] = landmarks(inputs["in/landmarks39"])
        return out


def prepare_encoders(audio, smooth, landmarks):
    """Official defaults make the attention's softmax flat and the audio's features small."""
    for network in (audio, smooth, landmarks):
        weights.randomise(network)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.mul_(2 if network is not landmarks else 1)
            if network is smooth:
                smooth.attentionNet[0].weight.mul_(4)
        weights.round_all(network)


class Recorder(nn.Module):
    """In the U-Net's place: keeps the context it is given."""

    def forward(self, x, t, context):
        self.context = context
        return x


class Fusion(Case):
    name = "d_fusion"
    latent_size = 12
    facts = dict(tacn_channels="16,24",
                 note="n_head 4, d_model 50, d_k=d_v=14; tensors model.tacn.network.*.net.{0,4}.* duplicate "
                      "conv1/conv2; fc1 for latents of 12x12 (official 28x28)")

    def build(self, official):
        channels = [int(number) for number in self.facts["tacn_channels"].split(",")]
        with quiet(), official.small_fusion(channels, self.latent_size):
            wrapper = official.ddpm.DiffusionWrapper(dict(target="torch.nn+Identity"), "crossattn").eval()
        wrapper.diffusion_model = Recorder()
        return {"model.": wrapper}

    def prepare(self, official, networks):
        weights.randomise(networks["model."])
        prepare_fusion(networks["model."])

    def inputs(self, official, networks):
        return {"in/audio8": torch.randn(50, 8), "in/lip": torch.randn(50, 3, self.latent_size, self.latent_size),
                "in/ldm64": 3 * torch.randn(50, 64), "in/au320": torch.randn(50, 320)}

    def compute(self, official, networks, inputs):
        wrapper, out = networks["model."], {}
        network = wrapper.tacn.network
        hook(wrapper.fc1, out, "mid/fc1")
        hook(wrapper.fc2, out, "mid/fc2")
        hook(wrapper.tacn, out, "mid/cc396", lambda inputs, _: inputs[0][0].T)
        hook(wrapper.tacn, out, "out/tacn")
        hook(network[0], out, "mid/block0")
        hook(network[0].att, out, "mid/block0_attn_map", lambda _, o: o[1])
        for i in (0, 1):
            hook(network[i].conv1, out, f"mid/block{i}_conv1")
            hook(network[i].att, out, f"mid/block{i}_att", lambda _, o: o[0])
        lip = inputs["in/lip"]
        wrapper(lip, None, c_crossattn=[inputs["in/audio8"], lip, lip, inputs["in/ldm64"], lip, inputs["in/au320"]])
        context = wrapper.diffusion_model.context
        return {**out, "out/context": context, "mid/context_first8": context[:, :, :8]}


def prepare_fusion(wrapper):
    """Attention that is not flat."""
    with torch.no_grad():
        for block in wrapper.tacn.network:
            block.att.w_qs.weight.mul_(2), block.att.w_ks.weight.mul_(2)
            block.conv1.weight_g.mul_(2), block.conv2.weight_g.mul_(2)
    weights.round_all(wrapper)


class Mask(Case):
    name = "e_mask"
    facts = dict(conv_dim=4, repeat_num=6, mid_note="mid/down2, mid/bottleneck: channels 0..7")

    def build(self, official):
        return {"": official.make_generator(self.facts["conv_dim"], self.facts["repeat_num"])}

    def prepare(self, official, networks):
        prepare_generator(networks[""])

    def inputs(self, official, networks):
        image = synthetic.picture(synthetic.landmarks(0, SEED) / 4, (32, 32), SEED)
        ref = synthetic.picture(synthetic.landmarks(3, SEED) / 4, (32, 32), SEED + 1)
        scaled = lambda picture: (torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 255 - 0.5) / 0.5
        # A pale picture: times 255, the split of a bright one has an absolute error near the consumer's tolerance.
        return {"in/image": scaled(image), "in/ref": 0.3 * scaled(ref),
                "in/au": torch.tensor([[0.5, 4.25, 1.75, 3.0, 2.25]])}

    def compute(self, official, networks, inputs):
        generator, out = networks[""], {}
        down, up = 8, 6
        blocks = self.facts["repeat_num"]
        hook(generator.main[down], out, "mid/down2", lambda _, x: x[:, :8])
        hook(generator.main[down + blocks], out, "mid/bottleneck", lambda _, x: x[:, :8])
        hook(generator.main[down + blocks + up], out, "mid/features_ch0_3", lambda _, x: x[:, :4])
        out["out/img"], out["out/mask"] = generator(inputs["in/image"], inputs["in/au"])
        out["out/audio_face"] = 255.0 * (1 - out["out/mask"]) * inputs["in/ref"]  # as inference.py, frame by frame
        out["out/identity_face"] = 255.0 * out["out/mask"] * inputs["in/ref"]
        return out


def prepare_generator(generator):
    """The action units are constant planes, which the first norm takes away: of less weight than the picture, or what
    is left has few digits."""
    weights.randomise(generator)
    with torch.no_grad():
        generator.main[0].weight[:, :3].mul_(5)
        generator.main[0].weight[:, 3:].mul_(0.5)
        generator.attetion_reg[0].weight.mul_(0.5)
    weights.round_all(generator)


class FirstStage(Case):
    name = "f_vq"
    facts = dict(mult=(2, 1, 1), nrb=1, n_embed=64,
                 mid_note="mid/enc_down0: batch 0, channels 0..3; mid/enc_attn and mid/dec_mid: batch 0, channels "
                          "0..15")
    prefix = "first_stage_model."

    def build(self, official):
        return {self.prefix: official.make_first_stage(self.facts["mult"], self.facts["nrb"], self.facts["n_embed"])}

    def images(self, official):
        drawn = [synthetic.picture(synthetic.landmarks(4 * i, SEED) / 4, (32, 32), SEED + i) for i in range(2)]
        return torch.from_numpy(np.stack(drawn)).permute(0, 3, 1, 2).float() / 127.5 - 1

    def prepare(self, official, networks):
        super().prepare(official, networks)
        model, images = networks[self.prefix], self.images(official)
        unit_latents(model, images)
        with torch.no_grad():
            self.facts["min_margin"] = draw_codebook(model, model.encode(images))

    def inputs(self, official, networks):
        images = self.images(official).contiguous()
        random = torch.randn(20, 3, 8, 8)  # the one whose nearest codes are the clearest
        margins = code_margin(random, networks[self.prefix].quantize.embedding.weight.detach()).flatten(1).min(1).values
        return {"in/image": images, "in/image255": (images[:1] * torch.linspace(0, 255, 32)).contiguous(),
                "in/z_rand": random[margins.argmax()][None].clone()}

    def compute(self, official, networks, inputs):
        model, out = networks[self.prefix], {}
        codes = model.quantize.embedding.weight.detach()
        hook(model.encoder.down[0].downsample, out, "mid/enc_down0", lambda _, x: x[:1, :4])
        hook(model.encoder.mid.attn_1, out, "mid/enc_attn", lambda _, x: x[:1, :16])
        hook(model.encoder.conv_out, out, "mid/enc_conv_out")
        z = out["out/z"] = model.encode(inputs["in/image"])
        out["out/z255"] = model.encode(inputs["in/image255"])
        out["out/zq"], _, (_, _, indices) = model.quantize(z)
        out["out/indices"] = indices.view(z.shape[0], *z.shape[2:]).int()
        out["out/rec_quant"] = model.decode(z)
        out["out/rec_noquant"] = model.decode(z, force_not_quantize=True)
        random = inputs["in/z_rand"]
        hook(model.decoder.mid.block_2, out, "mid/dec_mid", lambda _, x: x[:1, :16])
        out["out/dec_rand_noquant"] = model.decode(random, force_not_quantize=True)
        out["out/dec_rand_quant"] = model.decode(random)
        out["mid/code_margin"], out["mid/code_margin_rand"] = code_margin(z, codes), code_margin(random, codes)
        return out


class Unet(Case):
    name = "g_unet"
    facts = dict(mult=(1, 1, 2, 1), nrb=1, hc=16, first_attn_input_block=3,
                 kv_patch="attn1/attn2 to_k,to_v registered; attn2 in=8", mid_note="large mids: batch element 0 only")
    prefix = "model.diffusion_model."

    def build(self, official):
        return {self.prefix: official.make_unet(self.facts["mult"], self.facts["nrb"], self.facts["hc"])}

    def inputs(self, official, networks):
        return {"in/x": torch.randn(2, 9, 12, 12), "in/t": torch.tensor([1, 801]), "in/context": torch.randn(2, 1, 16)}

    def compute(self, official, networks, inputs):
        model, out = networks[self.prefix], {}
        first = lambda _, x: x[:1]
        transformer = model.input_blocks[self.facts["first_attn_input_block"]][1]
        block = transformer.transformer_blocks[0]
        out["mid/timestep_embedding"] = official.unet.timestep_embedding(inputs["in/t"], 32)
        hook(model.time_embed, out, "mid/time_embed")
        hook(model.newmodel, out, "mid/padded32", first)
        hook(model.input_blocks[1], out, "mid/input_block1", first)
        hook(transformer, out, "mid/first_spatial_transformer", first)
        hook(block.attn1, out, "mid/first_attn1_out", first)
        hook(block.attn2, out, "mid/first_attn2_out", lambda _, x: x[:, :4])
        hook(model.middle_block, out, "mid/middle")
        hook(model.newmodel2, out, "mid/before_newmodel2", lambda inputs, _: inputs[0][:1])
        hook(model.newmodel2, out, "mid/newmodel2", first)
        out["out/eps"] = model(inputs["in/x"], timesteps=inputs["in/t"], context=inputs["in/context"])
        return out
