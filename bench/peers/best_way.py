"""Texts → features as one would write it in PyTorch today: what spec language-specific-features,
sections 1, 2, 4 and 6, compute, in one pass.

Texts are sorted by length and batched, so that little is padding; hooks at the MLP outputs encode
and count at once; nothing is staged; the model's head and the SAEs' decoders are left out, and
weights are not initialised before they are read. Weights and arithmetic are float32, as published:
in bfloat16 other latents would be among the top k.
"""

import json
import sys
from pathlib import Path

try:
    import torch
    from safetensors import safe_open
    from transformers import AutoModel

    from job_files import DEVICE, Job, parse_job
    from lape import Counts, identify
except ImportError as error:
    sys.exit(f"Python lacks {error.name}: pip install torch==2.6.0 transformers==4.51.3")

# Positions of one forward pass, padding included.
BATCH_TOKENS = 4096
# Values before top-k that are held at a time: 128 MiB.
BLOCK_VALUES = 2**25


class Sae:
    """The encoder of a TopK SAE of sparsify."""

    def __init__(self, folder: Path) -> None:
        self.k = json.loads((folder / "cfg.json").read_text())["k"]
        with safe_open(folder / "sae.safetensors", "pt") as file:
            read = lambda name: file.get_tensor(name).to(DEVICE, torch.float32)
            self.weight, self.bias = read("encoder.weight"), read("encoder.bias")
            self.b_dec = read("b_dec")

    @property
    def latents(self) -> int:
        return len(self.weight)

    def encode(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Top-k values and latents of tokens, [tokens, k], a block of tokens at a time.

        No ReLU: whoever counts takes the values above 0."""
        block = max(1, BLOCK_VALUES // self.latents)
        encoded = [
            torch.nn.functional.linear(part, self.weight, self.bias).topk(self.k, sorted=False)
            for part in (x - self.b_dec).split(block)
        ]
        return torch.cat([e.values for e in encoded]), torch.cat([e.indices for e in encoded])


class Counter:
    """Counts one language while the model runs."""

    def __init__(self, layers: int, latents: int) -> None:
        self.counts = Counts.zeros(layers, latents, DEVICE)
        self.latents = latents

    def add(self, layer: int, acts: torch.Tensor, indices: torch.Tensor, rows: torch.Tensor) -> None:
        """Top-k of tokens, both [tokens, k], and the text of the batch that each is of, [tokens]."""
        fired = acts > 0
        values, latents = acts[fired], indices[fired]
        texts = rows[:, None].expand_as(indices)[fired]
        c = self.counts
        c.over_zero_token[layer] += latents.bincount(minlength=self.latents)
        of_texts = (texts * self.latents + latents).unique() % self.latents
        c.over_zero_example[layer] += of_texts.bincount(minlength=self.latents)
        c.over_zero_total[layer] += latents.bincount(values, minlength=self.latents)
        c.max_active_over_zero[layer].scatter_reduce_(0, latents, values, "amax")
        c.min_active_over_zero[layer].scatter_reduce_(0, latents, values, "amin")


def batches(tokenizer, texts: list[str]) -> list[list[list[int]]]:
    """Token ids of texts, the short ones first, at most BATCH_TOKENS positions in a batch."""
    made: list[list[list[int]]] = []
    for ids in sorted(tokenizer(texts).input_ids, key=len):
        if not made or (len(made[-1]) + 1) * len(ids) > BATCH_TOKENS:
            made.append([])
        made[-1].append(ids)
    return made


def count(job: Job) -> dict[str, Counts]:
    model = AutoModel.from_pretrained(job.model, torch_dtype=torch.float32).eval().to(DEVICE)
    saes = [Sae(job.sae(layer)) for layer in range(job.layers)]
    tokenizer = job.tokenizer()
    counted = {}
    for lang in job.languages:
        counter = Counter(job.layers, saes[0].latents)
        for batch in batches(tokenizer, job.rows(lang)):
            lengths = torch.tensor([len(ids) for ids in batch])
            padded = torch.nn.utils.rnn.pad_sequence([torch.tensor(ids) for ids in batch], True)
            padded = padded.to(DEVICE)
            mask = (torch.arange(padded.shape[1]) < lengths[:, None]).to(DEVICE)
            rows = torch.arange(len(batch)).repeat_interleave(lengths).to(DEVICE)

            def see(layer: int, output: torch.Tensor) -> None:
                counter.add(layer, *saes[layer].encode(output[mask]), rows)

            hooks = [
                block.mlp.register_forward_hook(lambda _m, _i, output, n=n: see(n, output))
                for n, block in enumerate(model.layers[: job.layers])
            ]
            model(input_ids=padded, attention_mask=mask.long(), use_cache=False)
            for hook in hooks:
                hook.remove()
            counter.counts.num_examples += len(batch)
            counter.counts.num_tokens += int(lengths.sum())
        counted[lang] = counter.counts.cpu()
    return counted


def main() -> None:
    job = parse_job(__doc__)
    torch.set_grad_enabled(False)
    counts = count(job)
    job.write(counts, identify(counts))


main()
