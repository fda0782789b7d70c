"""What people train SAEs with today: a step of eai-sparsify's trainer, in float32 on the processor."""

import contextlib
import io
import os

from json_lines import Execute, say, serve

os.environ["SPARSIFY_DISABLE_TRITON"] = "1"  # its sparse decoder for processors

PACKAGES = "torch==2.6.0 eai-sparsify==1.1.3 schedulefree==1.4.1"


def main() -> None:
    try:
        import torch
        from schedulefree import ScheduleFreeWrapper

        with contextlib.redirect_stdout(io.StringIO()):  # It says which decoder it takes.
            from sparsify import SparseCoder, SparseCoderConfig
            from sparsify.sign_sgd import SignSGD
    except ImportError as error:
        say({"missing": f"Python lacks {error.name}: pip install {PACKAGES}"})
        return

    torch.manual_seed(0)

    def train(tokens: int, columns: int, latents: int, k: int, rate: float) -> Execute:
        coder = SparseCoder(columns, SparseCoderConfig(num_latents=latents, k=k), dtype=torch.float32)
        optimizer = ScheduleFreeWrapper(SignSGD(coder.parameters(), lr=rate), momentum=0.95)
        optimizer.train()
        x = torch.randn(tokens, columns)
        since_fired = torch.zeros(latents, dtype=torch.long)
        fired = torch.zeros(latents, dtype=torch.bool)

        def step() -> None:
            coder.set_decoder_norm_to_unit_norm()
            out = coder(x)
            fired[out.latent_indices.flatten()] = True
            out.fvu.backward()
            coder.remove_gradient_parallel_to_decoder_directions()
            optimizer.step()
            optimizer.zero_grad()
            since_fired.add_(tokens)
            since_fired[fired] = 0
            fired.zero_()

        return step

    serve(f"eai-sparsify 1.1.3 on PyTorch {torch.__version__}", {"train": train})


main()
