import assert from "node:assert/strict";
import {
  agreement,
  type Findings,
  type LanguageFindings,
  ourFindings,
  peerFindings,
  percent,
} from "./job_findings.ts";
import { join } from "node:path";
import { encodeSafetensors } from "../lib/formats/safetensors.ts";
import { babelscope, withFolder } from "../tests/support/run.ts";
import { WrongResult } from "./workload.ts";

function of(entries: Iterable<[string, LanguageFindings]>): Findings {
  return { byLanguage: new Map(entries), gpuBytes: null };
}

/** Two languages of `latents` latents that fire on 10 tokens each, the first two being features. */
function findings(latents: number, change: (counts: number[]) => void = () => {}): Findings {
  const counts = Array<number>(latents).fill(10);
  change(counts);
  return of(["en", "th"].map((lang, i) => [lang, {
    tokens: 100,
    firedTokens: counts,
    features: new Set([`0/${i}`, `5/${i}`]),
  }]));
}

Deno.test("equal findings agree; what neither side's latent fired on says nothing", () => {
  const one = findings(7, (counts) => counts[3] = 0);
  assert.deepEqual(agreement(one, one, "peer"), {
    ...{ tokens: 200, features: 1, equalCounts: 1, moved: 0, firings: 120 },
  });
});

Deno.test("a firing that lies in another latent is one that moved", () => {
  const other = findings(2000, (counts) => [counts[4], counts[9]] = [9, 11]);
  const { equalCounts, moved, firings } = agreement(findings(2000), other, "peer");
  assert.equal(equalCounts, 0.999);
  assert.equal(moved, 2);
  assert.equal(firings, 40_000);
});

Deno.test("other tokens, counts or features are another job", () => {
  const ours = findings(2000);
  const [[en, english], thai] = ours.byLanguage;
  const fewer = of([[en, { ...english, tokens: 99 }], thai]);
  assert.throws(
    () => agreement(ours, fewer, "peer"),
    new WrongResult(
      "peer read 99 tokens of en, we 100",
    ),
  );
  const moved = findings(2000, (counts) => counts.fill(9, 0, 3));
  assert.throws(
    () => agreement(ours, moved, "peer"),
    new WrongResult(
      "peer agrees with us on 100 % of the features and 99.85 % of the counts",
    ),
  );
  const named = of(
    [...ours.byLanguage].map(([lang, found]) => [lang, { ...found, features: new Set(["0/0"]) }]),
  );
  assert.throws(() => agreement(ours, named, "peer"), /on 20 % of the features/);
});

Deno.test("percent: what is not all does not read as all", () => {
  assert.deepEqual([1, 0.99999, 0.5].map(percent), ["100 %", "99.999 %", "50 %"]);
});

Deno.test("the files of identify and of the peers are read alike", async () => {
  await withFolder(async (out) => {
    const { code, stderr } = await babelscope([
      ...["identify", "--out-dir", out, "--dataset-configs", "udhr:{en,th}:train:0:3"],
      ...["--bootstrap", "0", "--permutations", "0", "--report-texts", "0"],
    ]);
    assert.equal(code, 0, stderr);
    const ours = await ourFindings(out, "udhr", ["en", "th"]);
    assert.ok(ours.gpuBytes! > 2 ** 20);
    const entries = [...ours.byLanguage];
    assert.ok(entries.every(([, { features }]) => features.size > 0));
    const tensors = entries.map(([lang, { firedTokens }]) => {
      const data = new Uint8Array(Int32Array.from(firedTokens).buffer);
      return [lang, { dtype: "I32" as const, shape: [6, 2048], data }];
    });
    await Deno.writeFile(
      join(out, "fired_tokens.safetensors"),
      encodeSafetensors(Object.fromEntries(tensors)),
    );
    await Deno.writeTextFile(
      join(out, "result.json"),
      JSON.stringify({
        tokens: Object.fromEntries(entries.map(([lang, { tokens }]) => [lang, tokens])),
        features: Object.fromEntries(
          entries.map(([lang, { features }]) => [
            lang,
            [...features].map((feature) => feature.split("/").map(Number)),
          ]),
        ),
        gpu_peak_bytes: 7,
      }),
    );
    const theirs = await peerFindings(out, ["en", "th"]);
    assert.equal(theirs.gpuBytes, 7);
    const { features, equalCounts } = agreement(ours, theirs, "peer");
    assert.deepEqual([features, equalCounts], [1, 1]);
  });
});
