# pyright: reportMissingImports=false
# PyTorch is in another environment than the checker.
"""The same training steps by PyTorch, as one writes them in it; run by a Python that has it; see train_step.py."""

from __future__ import annotations

import json
import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

WARM = 10


class Block(torch.nn.Module):
    """Attention and feed-forward of either architecture."""

    def __init__(self, model: dict[str, Any]) -> None:
        super().__init__()
        width, self.heads = model["width"], model["heads"]
        self.is_gpt2 = model["architecture"] == "gpt2"
        hidden = 4 * width if self.is_gpt2 else 8 * width // 3 // 16 * 16
        norm = torch.nn.LayerNorm if self.is_gpt2 else torch.nn.RMSNorm
        self.norm, self.feed_norm = norm(width, eps=1e-5), norm(width, eps=1e-5)
        self.qkv = torch.nn.Linear(width, 3 * width, bias=self.is_gpt2)
        self.out = torch.nn.Linear(width, width, bias=self.is_gpt2)
        self.up = torch.nn.Linear(width, hidden if self.is_gpt2 else 2 * hidden, bias=self.is_gpt2)
        self.down = torch.nn.Linear(hidden, width, bias=self.is_gpt2)

    def forward(self, x: torch.Tensor, turn: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """The stream after this layer."""
        batch, time_, width = x.shape
        heads = self.qkv(self.norm(x)).view(batch, time_, 3, self.heads, width // self.heads)
        q, k, v = heads.permute(2, 0, 3, 1, 4).unbind(0)
        if not self.is_gpt2:
            q, k = rotate(q, *turn), rotate(k, *turn)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, time_, width))
        h = self.up(self.feed_norm(x))
        if self.is_gpt2:
            return x + self.down(F.gelu(h, approximate="tanh"))
        gate, up = h.chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * up)


def rotate(x: torch.Tensor, cosine: torch.Tensor, sine: torch.Tensor) -> torch.Tensor:
    """Rotary positions."""
    left, right = x.chunk(2, dim=-1)
    return torch.cat([left * cosine - right * sine, left * sine + right * cosine], dim=-1)


class Transformer(torch.nn.Module):
    """Tokens in, logits out."""

    def __init__(self, model: dict[str, Any]) -> None:
        super().__init__()
        self.is_gpt2, width = model["architecture"] == "gpt2", model["width"]
        self.embed = torch.nn.Embedding(model["vocabulary"], width)
        self.positions = torch.nn.Embedding(model["context"], width) if self.is_gpt2 else None
        self.blocks = torch.nn.ModuleList(Block(model) for _ in range(model["layers"]))
        self.norm = (torch.nn.LayerNorm if self.is_gpt2 else torch.nn.RMSNorm)(width, eps=1e-5)
        self.head = None if self.is_gpt2 else torch.nn.Linear(width, model["vocabulary"], bias=False)
        k = width // model["heads"]
        angle = torch.arange(model["context"])[:, None] * 10_000.0 ** (-torch.arange(0, k, 2) / k)
        self.turn = angle.cos(), angle.sin()

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Logits of the token after each."""
        x = self.embed(tokens)
        if self.positions is not None:
            x = x + self.positions.weight[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x, self.turn)
        x = self.norm(x)
        return F.linear(x, self.embed.weight) if self.head is None else self.head(x)

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """The parameters as workloads/train names and lays them out."""
        for name, array in arrays.items():
            value = torch.from_numpy(array)
            owner, _, leaf = name.rpartition("/")
            layer = self.blocks[int(owner.partition("/")[2])] if owner else self
            leaf = "up" if leaf == "gate_up" else leaf
            kind = "bias" if leaf.endswith("bias") else "weight"
            target = getattr(getattr(layer, leaf.removesuffix("_bias")), kind)
            if leaf in ("qkv", "qkv_bias"):  # heads outermost there, q, k and v outermost here
                value = value.transpose(-3, -2)
            if kind == "weight" and leaf not in ("embed", "positions") and value.ndim > 1:
                inputs = -1 if leaf == "out" else 0
                value = (value.reshape(-1, value.shape[-1]) if inputs else value.reshape(value.shape[0], -1)).T
            with torch.no_grad():
                target.copy_(value.reshape(target.shape))


def main(settings: Path, timed: int) -> dict[str, object]:
    """As the other side does, with AdamW's fused form and everything else as it comes."""
    config = json.loads(settings.read_text())
    model = Transformer(config["model"])
    model.load(dict(np.load(settings.with_name("initial.npz"))))
    decaying = [p for name, p in model.named_parameters() if p.ndim > 1 and "positions" not in name]
    still = [p for name, p in model.named_parameters() if p.ndim == 1 or "positions" in name]
    groups = [{"params": decaying, "weight_decay": config["weight_decay"]}, {"params": still, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.95), eps=1e-8, fused=True)
    tokens = torch.from_numpy(np.load(settings.with_name("tokens.npy"))).long()
    losses, seconds = list[float](), list[float]()
    for step in range(WARM + timed):
        start = time.perf_counter()
        for group in optimizer.param_groups:
            group["lr"] = rate(config, step)
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), config["clip_norm"])
        optimizer.step()
        losses.append(loss.item())
        seconds.append(time.perf_counter() - start)
    return {"seconds": sorted(seconds[WARM:])[timed // 2], "losses": losses[:5], "version": torch.__version__}


def rate(config: dict[str, Any], step: int) -> float:
    """Warm-up and cosine, as in train.optim."""
    peak, warm, steps = config["learning_rate"], config["warmup_steps"], config["steps"]
    if step < warm:
        return peak * (step + 1) / (warm + 1)
    share = 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warm) / (steps - warm))))
    return peak * (0.1 + 0.9 * share)


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]))))
