"""The control: the same linear layer by NumPy's BLAS (OpenBLAS in the wheels of PyPI), in float32."""

from json_lines import say, serve

PACKAGES = "numpy==2.4.6"


def main() -> None:
    try:
        import numpy as np
    except ImportError as error:
        say({"missing": f"Python lacks {error.name}: pip install {PACKAGES}"})
        return

    def linear(tokens: int, columns: int, outs: int):
        random = np.random.default_rng(0)
        x = random.standard_normal((tokens, columns), dtype=np.float32)
        w = random.standard_normal((outs, columns), dtype=np.float32)
        return lambda: x @ w.T

    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    serve(f"NumPy {np.__version__} with {blas['name']} {blas['version']}", {"linear": linear})


main()
