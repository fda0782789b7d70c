"""What people use today, on the CPU in float32: PyTorch's linear layer, eai-sparsify's SAE encoder, transformers."""

import re
from pathlib import Path

from json_lines import say, serve

PACKAGES = "torch==2.6.0 eai-sparsify==1.1.3"  # and for SmolLM2: transformers==4.51.3 gguf==0.19.0


def main() -> None:
    try:
        import torch
        from sparsify import SparseCoder, SparseCoderConfig
    except ImportError as error:
        say({"missing": f"Python lacks {error.name}: pip install {PACKAGES}"})
        return

    torch.manual_seed(0)
    torch.set_grad_enabled(False)

    def linear(tokens: int, columns: int, outs: int):
        x, w = torch.randn(tokens, columns), torch.randn(outs, columns)
        return lambda: torch.nn.functional.linear(x, w)

    def encode(tokens: int, columns: int, latents: int, k: int):
        sae = SparseCoder(columns, SparseCoderConfig(num_latents=latents, k=k), decoder=False)
        x = torch.randn(tokens, columns)
        return lambda: sae.encode(x)

    def score(gguf: str, texts: str):
        from transformers import AutoModelForCausalLM

        model = AutoModelForCausalLM.from_pretrained(
            str(Path(gguf).parent), gguf_file=Path(gguf).name, torch_dtype=torch.float32
        ).eval()
        batches = [torch.tensor([[int(id) for id in text.split()]]) for text in texts.split(",")]

        def execute() -> None:
            for ids in batches:
                logits = model(ids).logits[0, :-1]
                torch.log_softmax(logits, -1).gather(1, ids[0, 1:, None]).double().sum().item()

        return execute

    serve(describe(torch), {"linear": linear, "encode": encode, "score": score})


def describe(torch) -> str:
    mkl = re.search(r"Math Kernel Library Version ([\d.]+)", torch.__config__.show())
    blas = f"MKL {mkl.group(1)}" if mkl else torch.__config__.show().split("BLAS_INFO=")[1][:8]
    capability = torch.backends.cpu.get_cpu_capability()
    return f"PyTorch {torch.__version__} with {blas}, {capability}"


main()
