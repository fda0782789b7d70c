/** Tests that take minutes, and tests that need what this project does not. */

/** Registers one that takes minutes: skipped by `babelscope test`, run by `babelscope test --all`. */
export function longTest(name: string, body: () => void | Promise<void>): void {
  Deno.test({ name, fn: body, ignore: Deno.env.get("BABELSCOPE_ALL_TESTS") !== "1" });
}

/** Registers one that needs a Python: run when BABELSCOPE_PYTHON names it, else skipped. */
export function pythonTest(name: string, body: (python: string) => Promise<void>): void {
  const python = Deno.env.get("BABELSCOPE_PYTHON");
  Deno.test({ name, fn: () => body(python ?? ""), ignore: !python });
}
