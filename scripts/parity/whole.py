# SPDX-License-Identifier: MIT
"""The files h to j: the sampler, the whole pipeline, the pictures' preparation."""
import os

import cv2
import numpy as np
import torch
from PIL import Image
from torch import nn
from torchvision import transforms

import synthetic
import weights
from cases import (SEED, Case, float32, half_noise, prepare_audio2au, prepare_encoders, prepare_fusion,
                   prepare_generator, whole_noise, windows)
from codebook import code_margin, draw_codebook, unit_latents
from official import quiet

UNITS = (10, 14, 20, 25, 26)
SCHEDULE = ("betas", "alphas_cumprod", "alphas_cumprod_prev", "sqrt_alphas_cumprod", "sqrt_one_minus_alphas_cumprod")


def fit(unet, latents, conditions, context, steps, alphas_cumprod):
    """Adam on the eps objective, of what is not made of integers, so that sampled latents stay O(1)."""
    optimiser = torch.optim.Adam(weights.trainable(unet), lr=2e-3)
    for _ in range(steps):
        pick = torch.randint(0, len(latents), (16,))
        t, noise = torch.randint(0, 1000, (16,)), torch.randn(16, *latents.shape[1:])
        a = alphas_cumprod[t].view(-1, 1, 1, 1)
        x = a.sqrt() * latents[pick] + (1 - a).sqrt() * noise
        with torch.enable_grad():
            e = unet(torch.cat([x, conditions[pick]], 1), timesteps=t, context=context[pick])
            loss = (e - noise).square().mean()
            optimiser.zero_grad()
            loss.backward()
        optimiser.step()
    weights.round_all(unet)
    return loss.item()


class Ddim(Case):
    name = "h_ddim"
    facts = dict(mult=(1,), nrb=2, hc=16, N=2, long_steps=200, fit_steps=300,
                 note="weights = seeded init + a few Adam steps of the eps objective so that latents stay O(1); the "
                      "long run uses only batch element 0 of x_T, x0, mask, mask_image, lip1, context")
    size = 8
    prefix = "model.diffusion_model."
    sizes = dict(unet=dict(mult=(1,), blocks=2, head_channels=16), first_stage=dict(mult=(1,), blocks=1, codes=2),
                 tacn=(8,), latent_size=8)

    def build(self, official):
        self.host = official.make_latent_diffusion(self.sizes)  # only its schedule, q_sample and U-Net are used
        return {self.prefix: self.host.model.diffusion_model}

    def prepare(self, official, networks):
        super().prepare(official, networks)
        data = torch.randn(64, 9, 2, 2)
        data = nn.functional.interpolate(data, size=self.size, mode="bicubic") + 0.2 * torch.randn(64, 9, 8, 8)
        with quiet():
            self.facts["fit_loss"] = fit(networks[self.prefix], data[:, :3], data[:, 3:], torch.randn(64, 1, 16),
                                         self.facts["fit_steps"], self.host.alphas_cumprod)
        self.data = data

    def inputs(self, official, networks):
        shape = (2, 3, self.size, self.size)
        mask = torch.ones(2, 1, self.size, self.size, dtype=torch.uint8)
        mask[0, :, 3:7, 1:6], mask[1, :, 2:6, 2:8] = 0, 0
        return {"in/x_T": half_noise(*shape), "in/x0": self.data[:2, :3].clone(), "in/mask": mask,
                "in/mask_image": self.data[:2, 3:6].clone(), "in/lip1": self.data[:2, 6:].clone(),
                "in/context": torch.randn(2, 1, 16), "in/renoise_10": whole_noise(10, *shape),
                "in/renoise_200": whole_noise(200, 1, *shape[1:])}

    def run(self, official, inputs, steps, frames, masked):
        """The official sampler: its result, and x and predicted x0 of each step."""
        given = {name[3:]: value[:frames] for name, value in inputs.items()}
        host, xs, predictions = self.host, [], []
        renoise = iter(inputs[f"in/renoise_{steps}"])
        noising = official.ddpm.DDPM.q_sample
        host.q_sample = lambda x, t: noising(host, x, t, next(renoise))
        host.apply_model = lambda x, t, _: host.model.diffusion_model(
            torch.cat([x, given["mask_image"], given["lip1"]], 1), timesteps=t, context=given["context"])

        class Sampler(official.ddim.DDIMSampler):
            def p_sample_ddim(self, *args, **kwargs):
                x, predicted = super().p_sample_ddim(*args, **kwargs)
                xs.append(x), predictions.append(predicted)
                return x, predicted

        conditions = dict.fromkeys(("audio", "lip", "lip1", "ldm", "mask_image", "AU_feature"), given["x_T"])  # unused
        inpaint = dict(mask=given["mask"], x0=given["x0"]) if masked else {}
        with quiet():
            final, _ = Sampler(host).sample(steps, frames, given["x_T"].shape[1:], conditions, eta=0., verbose=False,
                                            x_T=given["x_T"], **inpaint)
        return final, torch.stack(xs), torch.stack(predictions)

    def compute(self, official, networks, inputs):
        host = self.host
        out = {f"mid/{name}": getattr(host, name) for name in SCHEDULE}
        sampler = official.ddim.DDIMSampler(host)
        for steps in (5, 10, 20, 50, 100, 200):
            sampler.make_schedule(steps, ddim_eta=0., verbose=False)
            out[f"mid/ddim{steps}_timesteps"] = torch.from_numpy(sampler.ddim_timesteps)
            for name in ("alphas", "alphas_prev", "sigmas", "sqrt_one_minus_alphas"):
                out[f"mid/ddim{steps}_{name}"] = float32(np.asarray(getattr(sampler, f"ddim_{name}")))
        sampler.make_schedule(200, ddim_eta=1., verbose=False)
        out["mid/ddim200_sigmas_eta1"] = float32(np.asarray(sampler.ddim_sigmas))
        out["out/x_final_10"], xs, predictions = self.run(official, inputs, 10, 2, True)
        kept = torch.arange(10)
        out.update({"mid/steps_kept_10": kept, "mid/x_steps_10": xs, "mid/pred_x0_steps_10": predictions})
        out["out/x_final_10_nomask"] = self.run(official, inputs, 10, 2, False)[0]
        out["out/x_final_200"], xs, _ = self.run(official, inputs, 200, 1, True)
        kept = torch.tensor([0, 1, 25, 75, 125, 175, 198, 199])
        out.update({"mid/steps_kept_200": kept, "mid/x_steps_200": xs[kept]})
        return out


class EndToEnd(Case):
    name = "i_e2e"
    sizes = dict(unet=dict(mult=(1, 1), blocks=1, head_channels=16),
                 first_stage=dict(mult=(1, 1), blocks=1, codes=32), tacn=(8, 16), latent_size=8, image_size=16,
                 au_hidden=4, mask_channels=4)
    steps, kept = 5, (0, 27)
    facts = dict(vq="{'nrb': 1, 'mult': (1, 1), 'n_embed': 32}", unet="{'mult': (1, 1), 'nrb': 1, 'hc': 16}",
                 tacn="8,16", ddim_steps=5, audio2au_hidden=4, mask_conv_dim=4, fit_steps=300,
                 note="param names are the LatentDiffusion state_dict plus audio2AU{10,14,20,25,26}_model.* and "
                      "mask_model.*; mid and out tensors with fewer than 50 frames hold the frames listed in "
                      "mid/frames_kept; still_* = same run with all 50 frames equal to frame 0")

    def build(self, official):
        networks = {"": official.make_latent_diffusion(self.sizes)}
        for number in UNITS:
            networks[f"audio2AU{number}_model."] = official.make_audio2au(self.sizes["au_hidden"])
        networks["mask_model."] = official.make_generator(self.sizes["mask_channels"])
        return networks

    def clip(self, official, still=False):
        """A new folder with the clip."""
        folder = os.path.join(self.work, "still" if still else "clip")
        return synthetic.write_clip(folder, windows(official), SEED, still)

    def parameters(self, networks):
        """Without the parts of the schedule that sampling does not use."""
        whole = super().parameters(networks)
        return {name: value for name, value in whole.items() if "." in name or name[len("param/"):] in SCHEDULE}

    def prepare(self, official, networks):
        model = networks[""]
        schedule = {name: getattr(model, name).clone() for name in SCHEDULE}
        weights.randomise(model)
        prepare_encoders(model.cond_stage_model_for_audio, model.cond_stage_model_for_audio_smooth,
                         model.cond_stage_model_for_ldm)
        prepare_fusion(model.model)
        for name, value in schedule.items():
            getattr(model, name).copy_(value)  # not rounded
        for number in UNITS:
            prepare_audio2au(networks[f"audio2AU{number}_model."], float32(windows(official)[:, :, 3:28]))
        prepare_generator(networks["mask_model."])
        # The first stage and the U-Net learn what a first run sees.
        torch.manual_seed(SEED + 1)
        noise = half_noise(50, 3, 8, 8), whole_noise(1, 50, 3, 8, 8)
        _, space = self.run(official, networks, self.clip(official), *noise)
        unit_latents(model.first_stage_model, space["x"].contiguous())
        seen, space = self.run(official, networks, self.clip(official), *noise)
        conditions = torch.cat([space["c_mask"], space["c_imag_real_mask1"]], 1)
        context = seen["tacn"].permute(2, 0, 1)
        torch.manual_seed(SEED + 2)
        with quiet():
            self.facts["fit_loss"] = fit(model.model.diffusion_model, space["z"], conditions, context,
                                         self.facts["fit_steps"], model.alphas_cumprod)
        # A codebook for what is sampled.
        given = self.inputs(official, networks)
        seen, space = self.run(official, networks, self.clip(official), given["in/x_T"], given["in/renoise"])
        self.facts["min_margin"] = draw_codebook(model.first_stage_model, space["samples_ddim"])

    def run(self, official, networks, folder, x_T, renoise):
        states = dict(model=networks[""].state_dict(), generator=networks["mask_model."].state_dict(),
                      units={number: networks[f"audio2AU{number}_model."].state_dict() for number in UNITS})
        return official.run_inference(folder, self.sizes, states, x_T, renoise)

    def inputs(self, official, networks):
        torch.manual_seed(SEED + 3)
        return {"in/x_T": half_noise(50, 3, 8, 8), "in/renoise": whole_noise(self.steps, 50, 3, 8, 8)}

    def compute(self, official, networks, inputs):
        kept, first_stage = list(self.kept), networks[""].first_stage_model
        noise = inputs["in/x_T"], inputs["in/renoise"]
        seen, space = self.run(official, networks, self.clip(official), *noise)
        batch, latent = space["batch"], space["samples_ddim"]
        bytes_of = lambda x: ((x + 1) * 127.5).round().to(torch.uint8)
        frames_of = lambda x: torch.from_numpy((255. * x.permute(0, 2, 3, 1).numpy()).astype(np.uint8))
        out = {"in/mfcc": batch["audio_smooth"][0].reshape(50, 12, 25), "in/landmarks39": batch["landmarks"][0],
               "in/landmarks68": batch["landmarks_all"][0], "in/inference_mask": batch["inference_mask"][0],
               "in/frames": bytes_of(batch["image"][0]), "in/reference": bytes_of(batch["reference_img"][0][0]),
               "in/mask_input": space["input_images1"], "in/au": space["gt_aus1"].flatten()}
        out.update({"mid/AU_feature": space["AU_feature"], "mid/audio8": space["c_audio"], "mid/ldm64": space["c_ldm"],
                    "mid/mask": space["fake_img_mask_"], "mid/lip_frame0": space["c_imag_real_mask"][:1],
                    "mid/lip1_frame0": space["c_imag_real_mask1"][:1], "mid/f2": seen["f2"],
                    "mid/cc396": seen["fused"][0].T, "mid/context": seen["tacn"].permute(2, 0, 1),
                    "mid/image_mask_u8": bytes_of(batch["image_mask"][0])[kept],
                    "mid/mask_image_latent": space["c_mask"][kept], "mid/z": space["z"][kept],
                    "mid/eps_step0": seen["eps_step0"][kept], "mid/x_steps": seen["x_steps"][:, kept],
                    "mid/frames_kept": torch.tensor(kept)})
        pictures = space["x_samples_ddim"]
        out.update({"out/latent": latent, "out/indices": seen["indices"].view(50, 8, 8).to(torch.uint8),
                    "out/code_margin": code_margin(latent, first_stage.quantize.embedding.weight.detach()),
                    "out/frames_u8": frames_of(pictures), "out/rgb01": pictures[kept],
                    "out/decoded_noquant": first_stage.decode(latent[kept], force_not_quantize=True)})
        _, still = self.run(official, networks, self.clip(official, still=True), *noise)
        out.update({"out/still_latent": still["samples_ddim"][kept],
                    "out/still_frames_u8": frames_of(still["x_samples_ddim"][kept])})
        return out


class Preprocess(Case):
    name = "j_preprocess"
    facts = dict(note="a drawn frame; align cases: 0 plain, 1 rotated, larger and shifted (border value 127 visible); "
                      "mid/align*_crop128_float = every 8th row")

    def landmarks(self):
        """As dlib's: 68 whole numbers. A face of 100 px in a frame of 160x140."""
        rows = synthetic.mean_shape()
        jitter = np.random.default_rng(SEED).normal(0, 1.5, rows.shape)
        centred = rows - rows.mean(0)
        turn = lambda degrees, scale, place: np.round(centred @ cv2.getRotationMatrix2D((0, 0), degrees, scale)[:, :2].T
                                                      + place + jitter * scale)
        return [turn(0, 0.5, (80, 70)), turn(-17, 0.62, (108, 96))]

    def inputs(self, official, networks):
        points = self.landmarks()
        shape = np.delete(synthetic.mean_shape(), 61, 0)  # the official table lacks a row, too
        out = {"in/mean_shape67": float32(shape), "in/frame_bgr": synthetic.picture(points[0], (160, 140), SEED),
               "in/csv_row": float32(synthetic.openface_row(SEED))}
        out.update({f"in/align{i}_landmarks": float32(rows) for i, rows in enumerate(points)})
        return out

    def compute(self, official, networks, inputs):
        out, space = {}, official.alignment()
        mean = np.asarray(inputs["in/mean_shape67"], dtype=float)
        for i in range(2):
            rows = np.asarray(inputs[f"in/align{i}_landmarks"], dtype=float)
            matrix = space.transformation_from_points(rows[28:49].tolist(), list(mean[28:49]))
            warp = cv2.warpAffine
            seen = []
            try:
                cv2.warpAffine = lambda *args, **kwargs: seen.append(warp(*args, **kwargs)) or seen[-1]
                crop = space.warp_im(matrix, np.array(inputs["in/frame_bgr"], dtype=float))
            finally:
                cv2.warpAffine = warp
            out.update({f"out/align{i}_M_f64": matrix, f"out/align{i}_M": float32(matrix),
                        f"mid/align{i}_warp224_rows100_116": float32(seen[0][100:116]),
                        f"mid/align{i}_crop128_float": float32(crop[::8]),
                        f"out/align{i}_crop128_bgr": np.array(crop, dtype="uint8")})
        return {**out, **self.dataset(official), **self.units(inputs)}

    def dataset(self, official):
        """The official dataset at its own size, frame 0 of the clip; and inference.py's picture for the mask."""
        folder = synthetic.write_clip(os.path.join(self.work, "faces"), windows(official), SEED)
        polygons, fill = [], cv2.fillPoly
        with official.dataset_of(folder), quiet():
            reader = official.dataset.TalkValidation(size=112)
            try:
                cv2.fillPoly = lambda *args, **kwargs: polygons.append(fill(*args, **kwargs)) or polygons[-1]
                sample = reader[0]
            finally:
                cv2.fillPoly = fill
        first = lambda name: np.asarray(sample[name])[:1]
        bytes_of = lambda x: np.round((x.astype(np.float64) + 1) * 127.5).astype(np.uint8)
        path = os.path.join(folder, "0.jpg")
        rgb = official.ddpm.read_cv2_img(path)
        small = cv2.resize(rgb, [112, 112])
        change = transforms.Compose([transforms.ToTensor(), transforms.Normalize(mean=[0.5] * 3, std=[0.5] * 3)])
        return {"in/ds_rgb128": np.array(Image.open(path).convert("RGB"))[None],
                "in/ds_landmarks68": np.loadtxt(os.path.join(folder, "0.lms"), dtype=np.float32)[None],
                "mid/ds_polymask128": (np.stack(polygons[:1]) > 0).astype(np.uint8),
                "out/ds_image112": bytes_of(first("image")), "out/ds_image112_norm_frame0": first("image")[0],
                "out/ds_image_mask112": bytes_of(first("image_mask")), "out/ds_landmarks39": first("landmarks"),
                "out/ds_landmarks_all": first("landmarks_all"), "out/ds_inference_mask28": first("inference_mask"),
                "in/mask_rgb128_cv2": rgb, "mid/mask_rgb112_cv2": small,
                "out/mask_input": change(Image.fromarray(small))}

    def units(self, inputs):
        """The dataset's columns of an OpenFace row."""
        row = np.asarray(inputs["in/csv_row"])
        return {"out/au_intensity": row[[9, 11, 14, 16, 17]], "out/au_presence": row[[26, 28, 31, 33, 34]]}
