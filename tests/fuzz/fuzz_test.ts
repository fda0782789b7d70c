/** The readers under inputs that are almost right, and the fuzzer under readers that are not. */
import assert from "node:assert/strict";
import { cpuUsage } from "node:process";
import { print } from "../../lib/cli/output.ts";
import { InputError } from "../../lib/formats/input_error.ts";
import { longTest } from "../support/opt_in.ts";
import { ROOT } from "../support/run.ts";
import { campaign, type Report } from "./campaign.ts";
import { jobsOf } from "./fuzz.ts";
import { inputOf, judge, type Target, WHERE } from "./target.ts";
import { TARGETS } from "./targets.ts";

/** Inputs of the sample, and of the campaign that takes an hour or more. */
const SAMPLE = 1500;
const CAMPAIGN = 1_000_000;

/** Most memory of the process that reads, in bytes: it holds every target's seeds and libraries. */
const MOST_PEAK = 1.5 * 2 ** 30;

function assertClean({ findings, tallies }: Report): void {
  const [first] = findings;
  assert.equal(findings.length, 0, first && `${first.target} input ${first.n}: ${first.what}`);
  for (const [target, { peak }] of tallies) {
    assert.ok(peak < MOST_PEAK, `${target} took ${peak} bytes`);
  }
}

Deno.test("no reader crashes, hangs or speaks of something else, and inputs reach deep", async () => {
  const report = await campaign(jobsOf(SAMPLE, 1));
  assertClean(report);
  for (const { name } of TARGETS) {
    const { read, refused, refusals } = report.tallies.get(name)!;
    assert.ok(read > 0, `${name}: no input is read to its end`);
    // a refusal per layer at least: mutations that all fail at the first would make one or two
    if (name !== "txt" && name !== "readme") assert.ok(refused > 0, `${name} refuses nothing`);
    if (read + refused > 100 && name !== "txt" && name !== "readme") {
      assert.ok(refusals.length >= 12, `${name}: ${refusals.join("\n")}`);
    }
  }
});

longTest("a million inputs", async () => {
  const report = await campaign(jobsOf(CAMPAIGN, 2), {
    onDone: (target, { read, refused, refusals }) =>
      print(`${target}: ${read} read, ${refused} refused in ${refusals.length} ways`),
  });
  assertClean(report);
});

Deno.test("an input is known by target, seed and number", async () => {
  for (const target of TARGETS) {
    const seeds = (await target.seeds()).length;
    const bytes = await inputOf(target, 5, seeds);
    assert.deepEqual(await inputOf(target, 5, seeds), bytes);
    const others = await Promise.all([1, 2, 3].map((n) => inputOf(target, 5, seeds + n)));
    assert.ok(others.some((other) => other.join() !== bytes.join()), target.name);
  }
});

/** A reader that is not as it should be. */
function reader(read: () => unknown): Target {
  return {
    name: "planted",
    share: 1,
    seeds: () => Promise.resolve([]),
    mutate: (seed) => seed,
    read: async () => void await read(),
  };
}

async function findingOf(read: () => unknown): Promise<string> {
  const outcome = await judge(reader(read), new Uint8Array());
  assert.equal(outcome.kind, "finding");
  return outcome.kind === "finding" ? outcome.what : "";
}

Deno.test("a reader's errors of any other class are findings", async () => {
  assert.match(await findingOf(() => new Uint8Array(-1)), /RangeError/);
  assert.match(await findingOf(() => JSON.parse("{")), /SyntaxError/);
  const overflow = (): number => 1 + overflow();
  assert.match(await findingOf(overflow), /Maximum call stack/);
});

Deno.test("a refusal that does not name the file, or is no sentence, is a finding", async () => {
  const refusal = (message: string) => () => {
    throw new InputError(message);
  };
  assert.match(await findingOf(refusal("It is bad.")), /does not name the file/);
  assert.match(await findingOf(refusal(`${WHERE} is bad`)), /no sentence/);
  const good = await judge(reader(refusal(`${WHERE} is bad.`)), new Uint8Array());
  assert.deepEqual(good, { kind: "refused", message: `${WHERE} is bad.` });
});

Deno.test("too much memory and too much time are findings", async () => {
  const kept: Uint8Array[] = [];
  // far above the bound: what tests before left behind may be collected meanwhile
  assert.match(await findingOf(() => kept.push(new Uint8Array(2 ** 31))), /took \d+ MiB/);
  const work = () => {
    for (const start = cpuUsage(); cpuUsage(start).user < 2.2e6;);
  };
  assert.match(await findingOf(work), /took \d+ ms/);
});

Deno.test("a process that falls silent or ends is a finding, and the rest is read", async () => {
  const job = (target: string) => ({ target, seed: 1, from: 0, to: 4 });
  const { findings, tallies } = await campaign([job("hangs"), job("dies"), job("reads")], {
    script: `${ROOT}tests/fuzz/planted.ts`,
    patience: 3000,
  });
  assert.deepEqual(findings.map(({ target, n }) => [target, n]), [["hangs", 2], ["dies", 1]]);
  assert.match(findings[0].what, /no answer in 3000 ms/);
  assert.match(findings[1].what, /ended with 133: out of memory/);
  assert.deepEqual([...tallies.keys()], ["hangs", "dies", "reads"]);
  assert.equal(tallies.get("reads")?.read, 4);
});
