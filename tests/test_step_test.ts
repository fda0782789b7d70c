import assert from "node:assert/strict";
import { readTotals } from "../scripts/test.ts";
import { babelscope, type Outcome, withFolder } from "./support/run.ts";

/** Runs `babelscope test` on one test file in another folder. */
async function testing(source: string, args: readonly string[] = []): Promise<Outcome> {
  let outcome: Outcome;
  await withFolder(async (cwd) => {
    await Deno.writeTextFile(`${cwd}/some_test.ts`, source);
    outcome = await babelscope(["test", "--no-check", "--no-config", "some_test.ts", ...args], {
      cwd,
    });
  });
  return outcome!;
}

const lastLine = ({ stdout }: Outcome) => stdout.trimEnd().split("\n").at(-1);

Deno.test("the last line counts passed, failed and skipped tests", async () => {
  const outcome = await testing(`
    Deno.test("a", () => {});
    Deno.test("b", () => {});
    Deno.test("c", () => { throw new Error("no"); });
    Deno.test.ignore("d", () => {});
  `);
  assert.equal(lastLine(outcome), "2 passed, 1 failed, 1 skipped");
  assert.notEqual(outcome.code, 0);
});

Deno.test("passing tests give exit code 0, none at all gives another", async () => {
  const passing = await testing(`Deno.test("a", () => {});`);
  assert.equal(lastLine(passing), "1 passed, 0 failed, 0 skipped");
  assert.equal(passing.code, 0);

  const none = await testing("");
  assert.equal(lastLine(none), "0 passed, 0 failed, 0 skipped");
  assert.equal(none.code, 1);
  assert.match(none.stderr, /no test was run/);

  const skipped = await testing(`Deno.test.ignore("a", () => {});`);
  assert.equal(lastLine(skipped), "0 passed, 0 failed, 1 skipped");
  assert.equal(skipped.code, 1);
});

Deno.test("a test file that does not compile is a failure", async () => {
  const outcome = await testing("const = ;");
  assert.equal(lastLine(outcome), "0 passed, 1 failed, 0 skipped");
  assert.notEqual(outcome.code, 0);
});

Deno.test("--all runs the tests that take minutes", async () => {
  const support = new URL("support/opt_in.ts", import.meta.url).href;
  const source = `
    import { longTest } from "${support}";
    Deno.test("short", () => {});
    longTest("long", () => {});
  `;
  assert.equal(lastLine(await testing(source)), "1 passed, 0 failed, 0 skipped");
  assert.equal(lastLine(await testing(source, ["--all"])), "2 passed, 0 failed, 0 skipped");
});

Deno.test("totals are those of the last run printed", () => {
  const inner = "FAILED | 3 passed | 4 failed (1s)";
  const outer =
    "\x1b[32mok\x1b[0m | 12 passed (3 steps) | 0 failed | 2 ignored \x1b[90m(35ms)\x1b[0m";
  assert.deepEqual(readTotals(`${inner}\n${outer}\n\n`), { passed: 12, failed: 0, skipped: 2 });
  assert.equal(readTotals("error: The module's source code could not be parsed\n"), undefined);
});
