"""Texts → features as the published program works (spec language-specific-features, sections 1, 2, 4, 6).

Section 1: the model in float32, one text per forward pass, no padding, BOS counted. Section 2
(activations_to_sae_features): per language, the MLP outputs of all rows are kept in memory; then per
layer the SAE is loaded, encodes 500 tokens at a time as the paper's commands say, and the top-k
slots of every row are saved. Section 4 (sae_features_count): all of it is loaded again and counted
row by row. Section 6 (identify): the counts are loaded again and the features found.

Three differences, all in this program's favour: plain forward hooks stand for nnsight's traces, the
counting of a row is a few calls of PyTorch, and the three scripts run in one process, so that Python
starts once. The decoder, which none of it uses, is not loaded.
"""

import sys
from dataclasses import asdict
from pathlib import Path

try:
    import torch
    from sparsify import SparseCoder
    from sparsify.fused_encoder import EncoderOutput
    from transformers import AutoModelForCausalLM

    from job_files import DEVICE, Job, parse_job
    from lape import Counts, identify
except ImportError as error:
    sys.exit(
        f"Python lacks {error.name}: pip install torch==2.6.0 transformers==4.51.3 eai-sparsify==1.1.3"
    )

# Tokens per call of the encoder: --batch of the paper's commands.
BATCH = 500


def mlp_outputs(job: Job, model, tokenizer, lang: str) -> list[list[torch.Tensor]]:
    """[layers][rows] of [1, tokens, hidden]."""
    kept = [[] for _ in range(job.layers)]
    hooks = [
        model.model.layers[layer].mlp.register_forward_hook(
            lambda _module, _input, output, layer=layer: kept[layer].append(output.cpu())
        )
        for layer in range(job.layers)
    ]
    for text in job.rows(lang):
        ids = tokenizer(text, return_tensors="pt").input_ids
        model(ids.to(DEVICE))
    for hook in hooks:
        hook.remove()
    return kept


def stage(job: Job, folder: Path) -> None:
    """activations_to_sae_features: a file per language and layer, three tensors per row."""
    model = AutoModelForCausalLM.from_pretrained(job.model, torch_dtype=torch.float32).eval().to(DEVICE)
    tokenizer = job.tokenizer()
    for lang in job.languages:
        kept = mlp_outputs(job, model, tokenizer, lang)
        (folder / lang).mkdir(parents=True)
        for layer in range(job.layers):
            sae = SparseCoder.load_from_disk(job.sae(layer), DEVICE, decoder=False)
            tokens = torch.cat([x[0] for x in kept[layer]])
            lengths = [x.shape[1] for x in kept[layer]]
            encoded = [sae.encode(chunk.to(DEVICE))[:2] for chunk in tokens.split(BATCH)]
            acts = torch.cat([acts.cpu() for acts, _ in encoded])
            indices = torch.cat([indices.cpu() for _, indices in encoded])
            # clones: a slice would be saved with the storage of all rows
            rows = [
                EncoderOutput(a[None].clone(), i[None].clone(), None)
                for a, i in zip(acts.split(lengths), indices.split(lengths))
            ]
            torch.save(rows, folder / lang / f"model.layers.{layer}.mlp.0-inf.pt")


def count(job: Job, staged: Path, folder: Path, latents: int) -> None:
    """sae_features_count: a file per language, its tensors sparse."""
    folder.mkdir()
    for lang in job.languages:
        c = Counts.zeros(job.layers, latents)
        for layer in range(job.layers):
            rows = torch.load(staged / lang / f"model.layers.{layer}.mlp.0-inf.pt", weights_only=False)
            c.num_examples, c.num_tokens = len(rows), sum(row.top_acts.shape[1] for row in rows)
            for row in rows:
                acts, indices = row.top_acts.flatten(), row.top_indices.flatten()
                c.over_zero_token[layer].index_add_(0, indices, torch.ones_like(acts))
                c.over_zero_example[layer, indices.unique()] += 1
                c.over_zero_total[layer].index_add_(0, indices, acts)
                rounded = acts.round(decimals=3)
                c.max_active_over_zero[layer].scatter_reduce_(0, indices, rounded, "amax")
                c.min_active_over_zero[layer].scatter_reduce_(0, indices, rounded, "amin")
        c.min_active_over_zero[c.min_active_over_zero.isinf()] = 0
        saved = {key: x.to_sparse() if torch.is_tensor(x) else x for key, x in asdict(c).items()}
        torch.save(saved, folder / f"{lang}.pt")


def load_counts(path: Path) -> Counts:
    saved = torch.load(path)
    c = Counts(**{key: x.to_dense() if torch.is_tensor(x) else x for key, x in saved.items()})
    c.min_active_over_zero[c.min_active_over_zero == 0] = torch.inf
    return c


def main() -> None:
    job = parse_job(__doc__)
    torch.set_grad_enabled(False)
    staged, counted = job.out / "sae_features", job.out / "sae_features_count"
    stage(job, staged)
    latents = SparseCoder.load_from_disk(job.sae(0), decoder=False).num_latents
    count(job, staged, counted, latents)
    counts = {lang: load_counts(counted / f"{lang}.pt") for lang in job.languages}
    job.write(counts, identify(counts))


main()
