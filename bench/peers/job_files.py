"""What the peers of the job read and write: options, texts, tokens, and results for bench/job.ts."""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from lape import Counts
from safetensors.torch import save_file
from transformers import PreTrainedTokenizerFast

# A GPU computes in exact float32: TF32 is off unless it is asked for.
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@dataclass
class Job:
    model: Path
    saes: Path
    layers: int
    texts: Path
    languages: list[str]
    out: Path

    def sae(self, layer: int) -> Path:
        return self.saes / f"layers.{layer}.mlp"

    def tokenizer(self) -> PreTrainedTokenizerFast:
        return PreTrainedTokenizerFast(tokenizer_file=str(self.model / "tokenizer.json"))

    def rows(self, lang: str) -> list[str]:
        lines = (self.texts / f"{lang}.jsonl").read_text().splitlines()
        return [json.loads(line)["text"] for line in lines]

    def write(self, counts: dict[str, Counts], features: dict) -> None:
        """lape.pt, which a user would keep, and what tells whether all sides agree."""
        torch.save(features, self.out / "lape.pt")
        fired = {lang: c.over_zero_token.to(torch.int32) for lang, c in counts.items()}
        save_file(fired, self.out / "fired_tokens.safetensors")
        result = {
            "tokens": {lang: c.num_tokens for lang, c in counts.items()},
            "features": {lang: found["indicies"] for lang, found in features.items()},
            "gpu_peak_bytes": torch.cuda.max_memory_reserved() if DEVICE == "cuda" else None,
        }
        (self.out / "result.json").write_text(json.dumps(result))


def parse_job(description: str) -> Job:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--model", type=Path, required=True, help="folder in Hugging Face layout")
    parser.add_argument("--saes", type=Path, required=True, help="folder of layers.N.mlp")
    parser.add_argument("--layers", type=int, required=True)
    parser.add_argument("--texts", type=Path, required=True, help="folder of <lang>.jsonl")
    parser.add_argument("--languages", nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    return Job(**vars(parser.parse_args()))
