/** Tests that take minutes. */

/** Registers one: skipped by `babelscope test`, run by `babelscope test --all`. */
export function longTest(name: string, body: () => void | Promise<void>): void {
  Deno.test({ name, fn: body, ignore: Deno.env.get("BABELSCOPE_ALL_TESTS") !== "1" });
}
