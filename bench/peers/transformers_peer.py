"""Whole models as people run them today: transformers in float32 (TF32 off), writing and scoring texts.

Texts come as a file of JSON, a list of ids each; what the model makes of them goes to another, so that
both sides can be compared. That happens when a task is prepared and is not timed.
"""

import json
import os
from pathlib import Path

from json_lines import say, serve

PACKAGES = "torch==2.6.0 transformers==4.51.3"  # and for GGUF files: gguf==0.19.0

# Most tokens, padding included, of a batch of texts that are scored.
BATCH_TOKENS = 2048


def main() -> None:
    os.environ["TQDM_DISABLE"] = "1"  # Reading a GGUF file shows its progress otherwise.
    try:
        import torch
        import transformers
        from transformers import AutoModelForCausalLM, DynamicCache
    except ImportError as error:
        say({"missing": f"Python lacks {error.name}: pip install {PACKAGES}"})
        return

    torch.set_grad_enabled(False)
    transformers.logging.set_verbosity_error()
    opened: dict = {}

    def settle() -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()

    def open_model(path: str, device: str):
        """The model of a folder or a GGUF file; one is kept."""
        if (path, device) not in opened:
            opened.clear()
            file = Path(path)
            gguf = file.suffix == ".gguf"
            model = AutoModelForCausalLM.from_pretrained(
                file.parent if gguf else file,
                gguf_file=file.name if gguf else None,
                torch_dtype=torch.float32,
            )
            opened[path, device] = model.eval().to(device)
        return opened[path, device]

    def generate(model: str, texts: str, new_tokens: int, answer: str, device="cpu"):
        """Greedy continuations of prompts of one length: what `generate` does, without its checks."""
        llama = open_model(model, device)
        prompts = torch.tensor(json.loads(Path(texts).read_text()), device=device)

        def logits_of_steps():
            cache = DynamicCache()
            ids = prompts
            for _ in range(new_tokens):
                logits = llama(ids, past_key_values=cache, logits_to_keep=1).logits[:, -1]
                yield logits
                ids = logits.argmax(-1, keepdim=True)

        def execute() -> None:
            for _ in logits_of_steps():
                pass

        Path(answer).write_text(json.dumps(greedy(logits_of_steps())))
        return execute

    def greedy(steps) -> dict:
        ids, margins, first = [], [], None
        for logits in steps:
            first = logits[0].tolist() if first is None else first
            (best, second), (chosen, _) = (part.T for part in logits.topk(2))
            ids.append(chosen.tolist())
            margins.append((best - second).tolist())
        return {"ids": by_text(ids), "margins": by_text(margins), "first_logits": first}

    def by_text(steps: list[list]) -> list[list]:
        return [list(text) for text in zip(*steps)]

    def score(model: str, texts: str, answer: str, device="cpu"):
        """One text per forward."""
        batches = [[ids] for ids in json.loads(Path(texts).read_text())]
        return scoring(open_model(model, device), batches, answer, device)

    def score_batched(model: str, texts: str, answer: str, device="cpu"):
        """Texts of like lengths together, padded."""
        every = sorted(json.loads(Path(texts).read_text()), key=len)
        return scoring(open_model(model, device), padded_batches(every), answer, device)

    def padded_batches(texts: list[list[int]]) -> list[list[list[int]]]:
        batches: list = [[]]
        for ids in texts:
            if batches[-1] and (len(batches[-1]) + 1) * len(ids) > BATCH_TOKENS:
                batches.append([])
            batches[-1].append(ids)
        return batches

    def scoring(llama, batches: list[list[list[int]]], answer: str, device: str):
        inputs = [padded(batch, device) for batch in batches]

        def negative_log_likelihood() -> float:
            total = 0.0
            for ids, mask in inputs:
                logits = llama(ids, attention_mask=mask, use_cache=False).logits[:, :-1]
                scores = torch.log_softmax(logits, -1).gather(2, ids[:, 1:, None])[..., 0]
                total -= scores[mask[:, 1:].bool()].double().sum().item()
            return total

        Path(answer).write_text(json.dumps(negative_log_likelihood()))
        return negative_log_likelihood

    def padded(batch: list[list[int]], device: str):
        longest = max(map(len, batch))
        ids = torch.zeros(len(batch), longest, dtype=torch.long)
        mask = torch.zeros(len(batch), longest, dtype=torch.long)
        for row, text in enumerate(batch):
            ids[row, : len(text)] = torch.tensor(text)
            mask[row, : len(text)] = 1
        return ids.to(device), mask.to(device)

    description = f"transformers {transformers.__version__} on PyTorch {torch.__version__}, float32"
    tasks = {"generate": generate, "score": score, "score_batched": score_batched}
    if torch.cuda.is_available():
        serve(description, tasks, settle, cuda=torch.cuda.get_device_name())
    else:
        serve(description, tasks)


main()
