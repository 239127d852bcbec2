"""The networks of the nine lessons in plain PyTorch: what Genscope's core is checked and timed against.

Same layers and the same names in the state_dict as core/nn. Images are (batch, channels, height, width),
sequences (batch, tokens, width). The sizes are arguments; the defaults are those of the speed table.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn


def attention(q, k, v, causal=False):
    """softmax(q k^T / sqrt(d)) v for (batch, heads, tokens, d)."""
    return F.scaled_dot_product_attention(q, k, v, is_causal=causal)


def timestep_embedding(t, dim, max_period=10000.0):
    """Sinusoidal embedding, cosines first. t: (batch,), any real values."""
    half = dim // 2
    frequencies = torch.exp(-math.log(max_period) * torch.arange(half, dtype=torch.float32, device=t.device) / half)
    angles = t.float()[:, None] * frequencies[None]
    return torch.cat([torch.cos(angles), torch.sin(angles)], dim=-1)


# ---- GAN
def gan2d_generator(z=2, hidden=128, out=2):
    return nn.Sequential(nn.Linear(z, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, out))


def gan2d_discriminator(inp=2, hidden=128):
    return nn.Sequential(nn.Linear(inp, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, 1))


# ---- VAE
class VAE(nn.Module):
    def __init__(self, x=784, hidden=400, z=16):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(x, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU())
        self.mu, self.logvar = nn.Linear(hidden, z), nn.Linear(hidden, z)
        self.dec = nn.Sequential(nn.Linear(z, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, x))

    def loss(self, x, eps):
        h = self.enc(x)
        mu, logvar = self.mu(h), self.logvar(h)
        xr = self.dec(mu + torch.exp(0.5 * logvar) * eps)
        rec = F.binary_cross_entropy_with_logits(xr, x, reduction="sum")
        kl = -0.5 * (1 + logvar - mu * mu - logvar.exp()).sum()
        return (rec + kl) / x.shape[0]


# ---- VQ-VAE and its prior
class ResBlock3(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(c, c, 3, padding=1), nn.Conv2d(c, c, 1)

    def forward(self, x):
        return x + self.conv2(F.relu(self.conv1(F.relu(x))))


class VQVAE(nn.Module):
    def __init__(self, c=64, d=16, k=128, beta=0.25):
        super().__init__()
        self.beta = beta
        self.enc = nn.Sequential(nn.Conv2d(1, c, 4, 2, 1), nn.ReLU(), nn.Conv2d(c, c, 4, 2, 1), ResBlock3(c), ResBlock3(c), nn.ReLU(), nn.Conv2d(c, d, 1))
        self.codebook = nn.Embedding(k, d)
        self.codebook.weight.data.uniform_(-1.0 / k, 1.0 / k)
        self.dec = nn.Sequential(nn.Conv2d(d, c, 3, padding=1), ResBlock3(c), ResBlock3(c), nn.ReLU(), nn.ConvTranspose2d(c, c, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(c, 1, 4, 2, 1))

    def quantize(self, ze):
        b, d, h, w = ze.shape
        flat = ze.permute(0, 2, 3, 1).reshape(-1, d)
        e = self.codebook.weight
        dist = (flat * flat).sum(1, keepdim=True) - 2 * flat @ e.t() + (e * e).sum(1)
        idx = dist.argmin(1)
        return idx.view(b, h, w), F.embedding(idx, e).view(b, h, w, d).permute(0, 3, 1, 2)

    def loss(self, x):
        ze = self.enc(x)
        _, zq = self.quantize(ze)
        codebook, commit = F.mse_loss(zq, ze.detach()), F.mse_loss(ze, zq.detach())
        xr = self.dec(ze + (zq - ze).detach())
        return F.mse_loss(xr, x) + codebook + self.beta * commit


class CausalBlock(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.ln_1, self.ln_2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.c_attn, self.c_proj = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.mlp_fc, self.mlp_proj = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.c_attn(self.ln_1(x)).view(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        x = x + self.c_proj(attention(q, k, v, causal=True).transpose(1, 2).reshape(b, n, d))
        return x + self.mlp_proj(F.gelu(self.mlp_fc(self.ln_2(x))))


class CodePrior(nn.Module):
    """Autoregressive transformer over the 7x7 code map; token k is the start token."""
    def __init__(self, k=128, n=49, d=128, depth=4, heads=4):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(k + 1, d), nn.Embedding(n, d)
        self.h = nn.ModuleList([CausalBlock(d, heads) for _ in range(depth)])
        self.ln_f, self.head = nn.LayerNorm(d), nn.Linear(d, k, bias=False)
        self.k = k

    def loss(self, idx):
        b, n = idx.shape
        inp = torch.cat([torch.full((b, 1), self.k, dtype=idx.dtype, device=idx.device), idx[:, :-1]], 1)
        x = self.wte(inp) + self.wpe.weight[None, :n]
        for blk in self.h:
            x = blk(x)
        return F.cross_entropy(self.head(self.ln_f(x)).reshape(b * n, -1), idx.reshape(-1))


# ---- DDPM and flow matching in the plane
class PlaneNet(nn.Module):
    """eps_theta(x_t, t) or v_theta(x_t, t) for 2-D points: four SiLU layers, time embedding added to the first."""
    def __init__(self, hidden=128, layers=4):
        super().__init__()
        self.t_mlp = nn.Sequential(nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, hidden))
        self.inp = nn.Linear(2, hidden)
        self.mid = nn.ModuleList([nn.Linear(hidden, hidden) for _ in range(layers - 1)])
        self.out = nn.Linear(hidden, 2)
        self.hidden = hidden

    def forward(self, x, t):
        h = F.silu(self.inp(x) + self.t_mlp(timestep_embedding(t, self.hidden)))
        for m in self.mid:
            h = F.silu(m(h))
        return self.out(h)


# ---- U-Net for DDPM on pixels and LDM on latents
class UResBlock(nn.Module):
    def __init__(self, cin, cout, temb):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(8, cin), nn.Conv2d(cin, cout, 3, padding=1)
        self.temb = nn.Linear(temb, cout)
        self.norm2, self.conv2 = nn.GroupNorm(8, cout), nn.Conv2d(cout, cout, 3, padding=1)
        self.skip = nn.Conv2d(cin, cout, 1) if cin != cout else nn.Identity()

    def forward(self, x, temb):
        h = self.conv1(F.silu(self.norm1(x))) + self.temb(F.silu(temb))[:, :, None, None]
        return self.skip(x) + self.conv2(F.silu(self.norm2(h)))


class SpatialAttention(nn.Module):
    """Self-attention over pixels, then cross-attention to a context if one is given."""
    def __init__(self, c, heads=4, context=0):
        super().__init__()
        self.heads = heads
        self.norm, self.qkv, self.proj = nn.GroupNorm(8, c), nn.Linear(c, 3 * c), nn.Linear(c, c)
        if context:
            self.norm_x = nn.LayerNorm(c)
            self.to_q, self.to_k, self.to_v, self.to_out = nn.Linear(c, c, bias=False), nn.Linear(context, c, bias=False), nn.Linear(context, c, bias=False), nn.Linear(c, c)
        self.context = context

    def split(self, x):
        b, n, c = x.shape
        return x.view(b, n, self.heads, c // self.heads).transpose(1, 2)

    def forward(self, x, ctx=None):
        b, c, h, w = x.shape
        s = self.norm(x).view(b, c, h * w).transpose(1, 2)
        q, k, v = map(self.split, self.qkv(s).chunk(3, -1))
        o = x.view(b, c, h * w).transpose(1, 2) + self.proj(attention(q, k, v).transpose(1, 2).reshape(b, h * w, c))
        if self.context:
            q, k, v = self.split(self.to_q(self.norm_x(o))), self.split(self.to_k(ctx)), self.split(self.to_v(ctx))
            o = o + self.to_out(attention(q, k, v).transpose(1, 2).reshape(b, h * w, c))
        return o.transpose(1, 2).reshape(b, c, h, w)


class UNet(nn.Module):
    """base channels c, two down-samplings, one block a level, attention at the lowest level (and at every level when there is a context)."""
    def __init__(self, cin=1, c=32, mult=(1, 2, 2), context=0, attend_all=False):
        super().__init__()
        temb = 4 * c
        self.c = c
        self.t_mlp = nn.Sequential(nn.Linear(c, temb), nn.SiLU(), nn.Linear(temb, temb))
        self.conv_in = nn.Conv2d(cin, c, 3, padding=1)
        chans = [c * m for m in mult]
        self.down, self.down_attn, self.downsample = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        prev = c
        for i, ch in enumerate(chans):
            self.down.append(UResBlock(prev, ch, temb))
            self.down_attn.append(SpatialAttention(ch, context=context) if attend_all or i == len(chans) - 1 else nn.Identity())
            self.downsample.append(nn.Conv2d(ch, ch, 3, 2, 1) if i < len(chans) - 1 else nn.Identity())
            prev = ch
        self.mid1, self.mid_attn, self.mid2 = UResBlock(prev, prev, temb), SpatialAttention(prev, context=context), UResBlock(prev, prev, temb)
        self.up, self.up_attn, self.upsample = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for i, ch in reversed(list(enumerate(chans))):
            self.up.append(UResBlock(prev + ch, ch, temb))
            self.up_attn.append(SpatialAttention(ch, context=context) if attend_all or i == len(chans) - 1 else nn.Identity())
            self.upsample.append(nn.Conv2d(ch, ch, 3, padding=1) if i > 0 else nn.Identity())
            prev = ch
        self.norm_out, self.conv_out = nn.GroupNorm(8, prev), nn.Conv2d(prev, cin, 3, padding=1)

    def forward(self, x, t, ctx=None):
        temb = self.t_mlp(timestep_embedding(t, self.c))
        h, skips = self.conv_in(x), []
        attend = lambda m, h: m(h, ctx) if isinstance(m, SpatialAttention) else h
        last = len(self.down) - 1
        for i in range(len(self.down)):
            h = attend(self.down_attn[i], self.down[i](h, temb))
            skips.append(h)
            if i < last:
                h = self.downsample[i](h)
        h = self.mid2(attend(self.mid_attn, self.mid1(h, temb)), temb)
        for j in range(len(self.up)):
            s = skips.pop()
            if h.shape[-1] != s.shape[-1]:
                h = self.upsample[j - 1](F.interpolate(h, size=s.shape[-2:], mode="nearest"))
            h = attend(self.up_attn[j], self.up[j](torch.cat([h, s], 1), temb))
        return self.conv_out(F.silu(self.norm_out(h)))


# ---- DiT
class Attn(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.qkv, self.proj = nn.Linear(d, 3 * d), nn.Linear(d, d)

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(x).view(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        return self.proj(attention(q, k, v).transpose(1, 2).reshape(b, n, d))


class Mlp(nn.Module):
    def __init__(self, d, ratio=4):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(d, ratio * d), nn.Linear(ratio * d, d)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x), approximate="tanh"))


class DiTBlock(nn.Module):
    """adaLN-Zero block."""
    def __init__(self, d, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(d, elementwise_affine=False, eps=1e-6)
        self.attn = Attn(d, heads)
        self.norm2 = nn.LayerNorm(d, elementwise_affine=False, eps=1e-6)
        self.mlp = Mlp(d)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(d, 6 * d))
        nn.init.zeros_(self.adaLN_modulation[1].weight)
        nn.init.zeros_(self.adaLN_modulation[1].bias)

    def forward(self, x, c):
        s1, g1, a1, s2, g2, a2 = self.adaLN_modulation(c)[:, None].chunk(6, -1)
        x = x + a1 * self.attn(self.norm1(x) * (1 + g1) + s1)
        return x + a2 * self.mlp(self.norm2(x) * (1 + g2) + s2)


def sincos_1d(dim, pos):
    omega = 10000.0 ** (-torch.arange(dim // 2, dtype=torch.float64) / (dim / 2))
    out = pos.reshape(-1).double()[:, None] * omega[None]
    return torch.cat([out.sin(), out.cos()], 1)


def sincos_2d(dim, n):
    """Fixed positional embedding of an n x n grid, (n * n, dim): first half from the column, second from the row."""
    row, col = torch.meshgrid(torch.arange(n), torch.arange(n), indexing="ij")
    return torch.cat([sincos_1d(dim // 2, col), sincos_1d(dim // 2, row)], 1).float()


class PatchEmbed(nn.Module):
    def __init__(self, cin, d, patch):
        super().__init__()
        self.proj = nn.Conv2d(cin, d, patch, patch)

    def forward(self, x):
        return self.proj(x).flatten(2).transpose(1, 2)


class TimestepEmbedder(nn.Module):
    def __init__(self, d, freq=256):
        super().__init__()
        self.freq, self.mlp = freq, nn.Sequential(nn.Linear(freq, d), nn.SiLU(), nn.Linear(d, d))

    def forward(self, t):
        return self.mlp(timestep_embedding(t, self.freq))


class LabelEmbedder(nn.Module):
    def __init__(self, classes, d):
        super().__init__()
        self.embedding_table = nn.Embedding(classes + 1, d)  # the last row means "no label"

    def forward(self, y):
        return self.embedding_table(y)


class FinalLayer(nn.Module):
    def __init__(self, d, patch, cout):
        super().__init__()
        self.norm_final = nn.LayerNorm(d, elementwise_affine=False, eps=1e-6)
        self.linear = nn.Linear(d, patch * patch * cout)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(d, 2 * d))
        for p in (self.linear, self.adaLN_modulation[1]):
            nn.init.zeros_(p.weight)
            nn.init.zeros_(p.bias)

    def forward(self, x, c):
        shift, scale = self.adaLN_modulation(c)[:, None].chunk(2, -1)
        return self.linear(self.norm_final(x) * (1 + scale) + shift)


class DiT(nn.Module):
    """state_dict names as in the paper's public code, so that its weights load."""
    def __init__(self, cin=4, size=8, patch=2, d=192, depth=6, heads=6, classes=10):
        super().__init__()
        self.patch, self.size, self.cin = patch, size, cin
        self.x_embedder = PatchEmbed(cin, d, patch)
        self.t_embedder = TimestepEmbedder(d)
        self.y_embedder = LabelEmbedder(classes, d)
        self.pos_embed = nn.Parameter(sincos_2d(d, size // patch)[None], requires_grad=False)
        self.blocks = nn.ModuleList([DiTBlock(d, heads) for _ in range(depth)])
        self.final_layer = FinalLayer(d, patch, cin)

    def forward(self, x, t, y):
        b, m, p = x.shape[0], self.size // self.patch, self.patch
        h, c = self.x_embedder(x) + self.pos_embed, self.t_embedder(t) + self.y_embedder(y)
        for blk in self.blocks:
            h = blk(h, c)
        return self.final_layer(h, c).view(b, m, m, p, p, self.cin).permute(0, 5, 1, 3, 2, 4).reshape(b, self.cin, self.size, self.size)


# ---- LoRA
class LoRALinear(nn.Module):
    """W0 x + (alpha / r) B A x with W0 frozen, A ~ N(0, 1/r), B = 0."""
    def __init__(self, base, r=4, alpha=4.0):
        super().__init__()
        self.base = base
        for p in base.parameters():
            p.requires_grad_(False)
        self.lora_A = nn.Parameter(torch.randn(r, base.in_features) / r)
        self.lora_B = nn.Parameter(torch.zeros(base.out_features, r))
        self.scale = alpha / r

    def forward(self, x):
        return self.base(x) + self.scale * F.linear(F.linear(x, self.lora_A), self.lora_B)


def with_lora(dit, r=4):
    for p in dit.parameters():
        p.requires_grad_(False)
    for blk in dit.blocks:
        blk.attn.qkv = LoRALinear(blk.attn.qkv, r)
    return dit


# ---- CLIP
class TinyCLIP(nn.Module):
    def __init__(self, vocab=64, length=16, d=128, depth=2, heads=4, e=64, c=32):
        super().__init__()
        self.tok, self.pos = nn.Embedding(vocab, d), nn.Parameter(torch.randn(1, length, d) * 0.02)
        self.text = nn.ModuleList([CausalBlock(d, heads) for _ in range(depth)])
        self.ln, self.text_proj = nn.LayerNorm(d), nn.Linear(d, e, bias=False)
        self.image = nn.Sequential(nn.Conv2d(3, c, 4, 2, 1), nn.ReLU(), nn.Conv2d(c, 2 * c, 4, 2, 1), nn.ReLU(), nn.Conv2d(2 * c, 2 * c, 4, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(2 * c * 16, e))
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def loss(self, img, tokens):
        x = self.tok(tokens) + self.pos
        for blk in self.text:
            x = blk(x)
        te = F.normalize(self.text_proj(self.ln(x)[:, -1]), dim=-1)
        ie = F.normalize(self.image(img), dim=-1)
        logits = self.logit_scale.exp() * ie @ te.t()
        target = torch.arange(img.shape[0], device=img.device)
        return 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.t(), target))
