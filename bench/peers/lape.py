"""SAE-LAPE on counts, for the peers of the job: spec language-specific-features, sections 6.1 and 6.2."""

from dataclasses import dataclass

import torch
from torch import Tensor

# Of the paper's runs; HIGH_FREQUENCY_RATE is hard-coded in the original.
EXAMPLE_RATE = 0.98
HIGH_FREQUENCY_RATE = 0.1
RATIO = 0.5


@dataclass
class Counts:
    """Counts of one language; the tensors are [layers, latents] (section 4)."""

    num_examples: int
    num_tokens: int
    over_zero_token: Tensor
    over_zero_example: Tensor
    over_zero_total: Tensor
    max_active_over_zero: Tensor
    min_active_over_zero: Tensor

    @staticmethod
    def zeros(layers: int, latents: int, device: str = "cpu") -> "Counts":
        shape = (layers, latents)
        sums = [torch.zeros(shape, device=device) for _ in range(4)]
        return Counts(0, 0, *sums, torch.full(shape, torch.inf, device=device))

    def cpu(self) -> "Counts":
        return Counts(**{key: x.cpu() if torch.is_tensor(x) else x for key, x in vars(self).items()})


def identify(counts: dict[str, Counts]) -> dict:
    """Latents of exactly one language, as lape.pt holds them (section 6.4), by language code."""
    languages = list(counts)
    fired = torch.stack([counts[lang].over_zero_token for lang in languages], -1)
    in_examples = torch.stack([counts[lang].over_zero_example for lang in languages], -1)
    examples = torch.tensor([counts[lang].num_examples for lang in languages])
    tokens = torch.tensor([counts[lang].num_tokens for lang in languages])

    p = fired / tokens
    q = (p / p.sum(-1, keepdim=True)).nan_to_num(0)
    entropy = -torch.xlogy(q, q).sum(-1)
    usual = (in_examples >= (examples * EXAMPLE_RATE).trunc()).any(-1)
    frequent = (fired > (HIGH_FREQUENCY_RATE * tokens).trunc()).any(-1)
    candidates = (usual & frequent).nonzero()

    order = entropy[candidates[:, 0], candidates[:, 1]].argsort(stable=True)
    candidates = candidates[order]
    probabilities = p[candidates[:, 0], candidates[:, 1]]
    owned = probabilities >= RATIO * probabilities.amax(-1, keepdim=True)
    owned &= owned.sum(-1, keepdim=True) == 1

    largest = torch.stack([c.max_active_over_zero for c in counts.values()]).amax(0)
    smallest = torch.stack([c.min_active_over_zero for c in counts.values()]).amin(0)
    average = sum(c.over_zero_total for c in counts.values()) / fired.sum(-1)

    def of(language: int) -> dict:
        features = candidates[owned[:, language]]
        features = features[(features[:, 0] * fired.shape[1] + features[:, 1]).argsort()]
        layer, index = features.unbind(-1)
        return {
            "indicies": features.tolist(),
            "entropies": entropy[layer, index],
            "selected_probs": p[layer, index, language],
            "max_active": largest[layer, index],
            "min_active": smallest[layer, index],
            "avg_active": average[layer, index],
        }

    return {lang: of(g) for g, lang in enumerate(languages)}
