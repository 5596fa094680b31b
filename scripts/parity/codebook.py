# SPDX-License-Identifier: MIT
"""The first stage's latents and codes, so that no latent is near the border of two codes."""
import torch

import weights


def code_margin(latents, codes):
    """By how much the squared distance to the second nearest code is larger than to the nearest."""
    flat = latents.permute(0, 2, 3, 1).reshape(-1, latents.shape[1]).double()
    two = torch.cdist(flat, codes.double(), compute_mode="donot_use_mm_for_euclid_dist").square().topk(2, largest=False)
    gap = two.values[:, 1] - two.values[:, 0]
    return gap.view(latents.shape[0], *latents.shape[2:]).float()


def draw_codebook(model, latents, tries=200):
    """Codes near the latents, drawn so that none of the latents is as near to two of them."""
    flat = latents.permute(0, 2, 3, 1).reshape(-1, latents.shape[1])
    best = -1
    for _ in range(tries):
        some = flat[torch.randperm(len(flat))[:model.n_embed]]
        codes = (some + 0.3 * flat.std() * torch.randn_like(some)).half().float()
        margin = code_margin(latents, codes).min().item()
        if margin > best:
            best, chosen = margin, codes
    with torch.no_grad():
        model.quantize.embedding.weight.copy_(chosen)
    return best


def unit_latents(model, images):
    """quant_conv such that latents have mean 0 and deviation 1."""
    with torch.no_grad():
        for _ in range(2):  # rounding to float16 in between
            z = model.encode(images)
            scale = 1 / z.std((0, 2, 3))
            model.quant_conv.bias.sub_(z.mean((0, 2, 3)))
            model.quant_conv.weight.mul_(scale.view(-1, 1, 1, 1))
            model.quant_conv.bias.mul_(scale)
            weights.round_all(model)
