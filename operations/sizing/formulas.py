"""The published formulas: work, memory, checkpoints, scaling law.

Sources, named beside the formulas by their tag:

- [KAPLAN]     Kaplan et al. 2020, "Scaling Laws for Neural Language Models", section 2.1: C ≈ 6ND.
- [PALM]       Chowdhery et al. 2022, "PaLM", appendix B: 6N + 12·L·d·T FLOPs a token, and MFU counted with it.
- [CHINCHILLA] Hoffmann et al. 2022, "Training Compute-Optimal Large Language Models": about 20 tokens a parameter.
- [REFIT]      Besiroglu et al. 2024, "Chinchilla Scaling: A replication attempt", the corrected parametric fit.
- [ZERO]       Rajbhandari et al. 2020, "ZeRO", section 3.1: 16 bytes a parameter in mixed precision with Adam.
- [REMAT]      Korthikanti et al. 2022, "Reducing Activation Recomputation in Large Transformer Models", section 4.1.
"""

from __future__ import annotations

from operations.sizing.model import ModelShape, Precision

CHINCHILLA_TOKENS_A_PARAMETER = 20
ASPECT = 128
"""Width ÷ layers of GPT-3 175B (12288 ÷ 96), Llama 7B (4096 ÷ 32) and, within 2 %, Llama 3.1 405B (16384 ÷ 126)."""

# [ZERO]: bf16 weights and gradients (2 + 2), fp32 weights (4), Adam's two moments (8). fp8 training keeps the same and
# one byte more for the cast weights; in fp32 there is no second copy of the weights: 4 + 4 + 8.
STATE_BYTES = {Precision.BF16: 16, Precision.FP8: 17, Precision.FP32: 16}
# A checkpoint has all of that but the gradients: BLOOM's are 2.3 TB for 176 billion parameters, 13 bytes each.
CHECKPOINT_BYTES = {Precision.BF16: 14, Precision.FP8: 14, Precision.FP32: 12}
WEIGHT_BYTES = {Precision.BF16: 2, Precision.FP8: 2, Precision.FP32: 4}
TOKEN_BYTES = 4
"""Of a token at rest: a vocabulary above 65,536 does not fit in two bytes."""


def shape_of(parameters: int, sequence: int, layers: int | None = None, width: int | None = None) -> ModelShape:
    """The shape of a model of that many parameters: N = 12·L·d² [KAPLAN] with d = 128·L.

    One of layers and width gives the other by the first of the two. Layers are rounded to a multiple of 4, so that
    pipeline stages divide them; the width to a multiple of 1,024, so that tensor parallelism over 8 divides its heads
    of 128, and below that of 128.
    """
    if layers is None:
        exact = parameters / (12 * width**2) if width else (parameters / (12 * ASPECT**2)) ** (1 / 3)
        layers = max(4, 4 * round(exact / 4))
    if width is None:
        ideal = (parameters / (12 * layers)) ** 0.5
        unit = 1024 if ideal >= 1024 else 128
        width = unit * max(1, round(ideal / unit))
    return ModelShape(parameters=parameters, layers=layers, width=width, sequence=sequence)


def parameter_flops(model: ModelShape, tokens: int) -> float:
    """FLOPs of the parameters, forward and backward: 6ND [KAPLAN]."""
    return 6.0 * model.parameters * tokens


def attention_flops(model: ModelShape, tokens: int) -> float:
    """FLOPs of attention's two products, forward and backward: 12·L·d·T a token [PALM].

    A causal mask makes half of them unnecessary. They are counted whole all the same, because the utilisations that
    are published, and that a duration is computed with here, are counted so.
    """
    return 12.0 * model.layers * model.width * model.sequence * tokens


def training_flops(model: ModelShape, tokens: int) -> float:
    """FLOPs of the training, without any recomputation of activations."""
    return parameter_flops(model, tokens) + attention_flops(model, tokens)


def chinchilla_tokens(parameters: int) -> int:
    """Tokens that make the most of the training's compute [CHINCHILLA]; more of them make a better small model."""
    return CHINCHILLA_TOKENS_A_PARAMETER * parameters


def loss(parameters: int, tokens: int) -> float:
    """Loss by the parametric law L = E + A/N^α + B/D^β with the corrected fit [REFIT], nats a token.

    The fit is to the MassiveText data and tokenizer of [CHINCHILLA]: compare with it, do not promise it.
    """
    return 1.8172 + 482.01 / parameters**0.3478 + 2085.43 / tokens**0.3658


def checkpoint_bytes(model: ModelShape, precision: Precision) -> float:
    """Bytes of a checkpoint that training goes on from: weights, fp32 weights, Adam's moments."""
    return float(CHECKPOINT_BYTES[precision] * model.parameters)


def weight_bytes(model: ModelShape, precision: Precision) -> float:
    """Bytes of the weights alone, as they compute."""
    return float(WEIGHT_BYTES[precision] * model.parameters)


def state_bytes_per_chip(model: ModelShape, precision: Precision, chips: int, tensor: int) -> float:
    """Parameters, gradients and optimizer state on one chip, all of them sharded over all chips.

    With the weights of two layers beside them, gathered: the one that computes and the one that is fetched meanwhile.
    """
    gathered = 2 * weight_bytes(model, precision) / model.layers / tensor if chips > tensor else 0.0
    return STATE_BYTES[precision] * model.parameters / chips + gathered


def activation_bytes_per_chip(model: ModelShape, precision: Precision, tensor: int) -> float:
    """Activations of one sequence at a time on one chip, with every layer recomputed in the backward pass.

    What is kept is each layer's input, for all layers: in a pipeline a stage has fewer layers, and as many sequences on
    their way as there are stages. To that come the working set of one layer, 34 bytes a token and width [REMAT] without
    attention's matrix, which fused kernels never make, and the logits once in fp32.
    """
    item = WEIGHT_BYTES[precision]
    kept = model.layers * model.sequence * model.width * item
    working = 34 * item / 2 * model.sequence * model.width
    logits = 4 * model.sequence * model.vocabulary
    return (kept + working + logits) / tensor


def exchanged_bytes_per_domain(model: ModelShape, precision: Precision, pipeline: int) -> float:
    """What the chips of one domain, mostly a machine, receive from the others in one step, at least.

    FSDP gathers the weights twice, forward and backward, and scatters the gradients once. Each byte enters a domain
    once and is handed on inside it. Tensor parallelism stays inside; a pipeline's activations are small beside this.
    """
    return 3 * weight_bytes(model, precision) / pipeline
