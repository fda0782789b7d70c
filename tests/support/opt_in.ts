/** Tests that take minutes. */

/** Registers one for `babelscope test --all`; other runs know nothing of it. */
export function longTest(name: string, body: () => void | Promise<void>): void {
  if (isLongRun()) Deno.test(name, body);
}

/**
 * The same, for a test that needs a file from elsewhere.
 *
 * @param variable of the environment that names the file; without it the test is skipped
 * @param source how to get the file, which the skipped test says
 */
export function longTestWithFile(
  name: string,
  variable: string,
  source: string,
  body: (path: string) => Promise<void>,
): void {
  const path = Deno.env.get(variable);
  if (path) longTest(name, () => body(path));
  else if (isLongRun()) Deno.test.ignore(`${name} (set ${variable} to ${source})`, () => {});
}

function isLongRun(): boolean {
  return Deno.env.get("BABELSCOPE_ALL_TESTS") === "1";
}
