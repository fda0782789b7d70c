"""What people use today: PyTorch's linear layer, eai-sparsify's SAE encoder.

On the processor in float32. On a CUDA device, where there is one: in float32 (TF32 off), with TF32
products, and in bf16.
"""

import re

from json_lines import Execute, say, serve, timed

PACKAGES = "torch==2.6.0 eai-sparsify==1.1.3"


def main() -> None:
    try:
        import torch
        from sparsify import SparseCoder, SparseCoderConfig
    except ImportError as error:
        say({"missing": f"Python lacks {error.name}: pip install {PACKAGES}"})
        return

    torch.manual_seed(0)
    torch.set_grad_enabled(False)

    def settle() -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()

    def fastest(ways: list[Execute]) -> Execute:
        for execute in ways:
            execute()
        return min(ways, key=lambda execute: timed(execute, 5, settle)["wall_ms"])

    def where(device: str, precision: str) -> dict:
        return {"device": device, "dtype": torch.bfloat16 if precision == "bf16" else torch.float32}

    def in_precision(precision: str, execute: Execute) -> Execute:
        def switched() -> object:
            torch.backends.cuda.matmul.allow_tf32 = precision == "TF32"
            return execute()

        return switched

    def linear(tokens: int, columns: int, outs: int, device="cpu", precision="f32"):
        x = torch.randn(tokens, columns, **where(device, precision))
        w = torch.randn(outs, columns, **where(device, precision))
        layer = lambda: torch.nn.functional.linear(x, w)
        # Some builds take a slow path for one token, some for a vector.
        execute = fastest([layer, lambda: torch.mv(w, x[0])]) if tokens == 1 else layer
        return in_precision(precision, execute)

    def encode(tokens: int, columns: int, latents: int, k: int, device="cpu", precision="f32"):
        config = SparseCoderConfig(num_latents=latents, k=k)
        sae = SparseCoder(columns, config, **where(device, precision), decoder=False)
        x = torch.randn(tokens, columns, **where(device, precision))
        return in_precision(precision, lambda: sae.encode(x))

    tasks = {"linear": linear, "encode": encode}
    if torch.cuda.is_available():
        cuda = torch.cuda.get_device_name()
        serve(f"{describe(torch)}, CUDA {torch.version.cuda} on {cuda}", tasks, settle, cuda=cuda)
    else:
        serve(describe(torch), tasks)


def describe(torch) -> str:
    mkl = re.search(r"Math Kernel Library Version ([\d.]+)", torch.__config__.show())
    blas = f"MKL {mkl.group(1)}" if mkl else torch.__config__.show().split("BLAS_INFO=")[1][:8]
    capability = torch.backends.cpu.get_cpu_capability()
    return f"PyTorch {torch.__version__} with {blas}, {capability}"


main()
