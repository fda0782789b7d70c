/** babelscope evaluate-sae as a whole, against transformers with forward hooks. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { openSafetensorsFile } from "../lib/data/safetensors_files.ts";
import { readTable } from "../lib/data/tables.ts";
import { decodeCounts } from "../lib/formats/counts.ts";
import { toFloat32 } from "../lib/formats/dtype.ts";
import { encodeSafetensors, type Tensor } from "../lib/formats/safetensors.ts";
import { filesUnder } from "./support/folders.ts";
import { type Outcome, ROOT, runScript, withFolder } from "./support/run.ts";

/** Figures by hookpoint and language, of tests/fixtures/evaluation/make_evaluation.py. */
type Expected = Record<string, Record<string, Record<string, number>>>;

const { texts: TEXTS, plain: PLAIN, excluded: EXCLUDED, transcoder: TRANSCODER }: {
  texts: Record<string, string[]>;
  plain: Expected;
  excluded: Expected;
  transcoder: Expected;
} = JSON.parse(await Deno.readTextFile(join(ROOT, "tests/fixtures/evaluation/expected.json")));

/** Relative: sums in f32 of another order. A latent more or less at a near tie moves them as much. */
const TOLERANCE = 1e-3;

/** A divergence is the small difference of large logits: nats. */
const KL_TOLERANCE = 2e-5;

const HOOKPOINTS = ["--layer", "layers.{1,4}.mlp"];

async function withTexts(body: (folder: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    await Deno.mkdir(join(folder, "texts"));
    for (const [code, texts] of Object.entries(TEXTS)) {
      const lines = texts.map((text) => `${JSON.stringify({ text })}\n`);
      await Deno.writeTextFile(join(folder, `texts/${code}.jsonl`), lines.join(""));
    }
    await body(folder);
  });
}

function evaluate(folder: string, ...args: string[]): Promise<Outcome> {
  const texts = ["--dataset-configs", `${folder}/texts:{en,th}`];
  const layers = args.includes("--layer") ? [] : HOOKPOINTS;
  return runScript("evaluate-sae", ["--out-dir", folder, ...texts, ...layers, ...args]);
}

interface Figures {
  readonly [figure: string]: number | string | null;
}

interface Written {
  readonly saes: {
    readonly hookpoint: string;
    readonly latents: number;
    readonly all: Figures;
    readonly languages: readonly Figures[];
  }[];
}

async function written(folder: string): Promise<Written> {
  return JSON.parse(await Deno.readTextFile(join(folder, "evaluation/evaluation.json")));
}

/** The figures of the fixture that a report has. */
function comparable({ saes }: Written): Expected {
  return Object.fromEntries(
    saes.map(({ hookpoint, latents, all, languages }) => [
      hookpoint,
      Object.fromEntries([{ ...all, language: "all" }, ...languages].map((figures) => {
        const dead = Number(figures.dead_share) * latents;
        return [figures.language, { ...figures, dead } as Record<string, number>];
      })),
    ]),
  );
}

function only(expected: Expected, hookpoint: string): Expected {
  return { [hookpoint]: expected[hookpoint] };
}

function assertFigures(found: Written, expected: Expected): void {
  const own = comparable(found);
  assert.deepEqual(Object.keys(own), Object.keys(expected));
  for (const [hookpoint, languages] of Object.entries(expected)) {
    assert.deepEqual(Object.keys(own[hookpoint]), Object.keys(languages));
    for (const [language, figures] of Object.entries(languages)) {
      for (const [name, value] of Object.entries(figures)) {
        const given = own[hookpoint][language][name];
        const allowed = name.startsWith("kl") ? KL_TOLERANCE : 0;
        const difference = Math.abs(given - value);
        assert.ok(
          difference <= allowed + TOLERANCE * Math.abs(value),
          `${name} of ${hookpoint}, ${language}: ${given}, expected ${value}`,
        );
      }
    }
  }
}

Deno.test("figures are those of transformers, and do not depend on batches", async () => {
  await withTexts(async (folder) => {
    const outcome = await evaluate(folder);
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(outcome.stdout, /layers\.1\.mlp +0\.14/);
    assert.match(outcome.stdout, /Thai/);
    const found = await written(folder);
    assertFigures(found, PLAIN);

    const { all } = found.saes[0];
    const [zero, sae, original] = ["ce_zero", "ce_sae", "ce_original"].map((ce) => Number(all[ce]));
    assert.equal(all.ce_recovered_zero, (zero - sae) / (zero - original));
    assert.equal(all.kl_recovered_mean, 1 - Number(all.kl_sae) / Number(all.kl_mean));

    const table = await readTable(join(folder, "evaluation/evaluation.parquet"));
    assert.deepEqual(table.language.slice(0, 3), ["all", "English", "Thai"]);
    assert.equal(table.fvu[0], all.fvu);
    assert.deepEqual(
      (await filesUnder(join(folder, "evaluation"))).sort(),
      ["evaluation.csv", "evaluation.json", "evaluation.parquet", "run.json"],
    );
    const run = JSON.parse(await Deno.readTextFile(join(folder, "evaluation/run.json")));
    assert.deepEqual(run.hookpoints, ["layers.1.mlp", "layers.4.mlp"]);
    assert.equal(run.data.length, 2);

    const again = await evaluate(folder, "--batch-size", "1", "--layer", "layers.1.mlp");
    assert.equal(again.code, 0, again.stderr);
    assertFigures(await written(folder), only(PLAIN, "layers.1.mlp"));
  });
});

Deno.test("excluded tokens keep what the module wrote and do not count", async () => {
  await withTexts(async (folder) => {
    const outcome = await evaluate(folder, "--exclude-tokens", "bos", "--layer", "layers.4.mlp");
    assert.equal(outcome.code, 0, outcome.stderr);
    assertFigures(await written(folder), only(EXCLUDED, "layers.4.mlp"));
  });
});

/** Layer 1's weights as a groupmax transcoder with the skip connection of make_evaluation.py. */
async function writeTranscoder(folder: string): Promise<string> {
  const own = join(ROOT, "assets/demo/sae/layers.1.mlp");
  using file = await openSafetensorsFile(join(own, "sae.safetensors"));
  const tensors: Record<string, Tensor> = {};
  for (const name of file.names()) {
    const { dtype, shape } = file.info(name);
    tensors[name] = { dtype: "F32", shape, data: toFloat32(await file.read(name), dtype) };
  }
  const width = file.info("b_dec").shape[0];
  const skip = Float32Array.from({ length: width * width }, (_, at) => {
    const [row, column] = [Math.floor(at / width), at % width];
    return ((31 * row + 17 * column) % 29 - 14) / 200;
  });
  tensors.W_skip = { dtype: "F32", shape: [width, width], data: skip };
  const place = join(folder, "transcoder", "layers.1.mlp");
  await Deno.mkdir(place, { recursive: true });
  await Deno.writeFile(join(place, "sae.safetensors"), encodeSafetensors(tensors));
  const config = JSON.parse(await Deno.readTextFile(join(own, "cfg.json")));
  const changed = { ...config, activation: "groupmax", transcode: true, skip_connection: true };
  await Deno.writeTextFile(join(place, "cfg.json"), JSON.stringify(changed));
  return join(folder, "transcoder");
}

Deno.test("a groupmax transcoder with a skip connection: its figures, and what it counts", async () => {
  await withTexts(async (folder) => {
    const transcoder = ["--sae-model", await writeTranscoder(folder), "--layer", "layers.1.mlp"];
    const outcome = await evaluate(folder, ...transcoder);
    assert.equal(outcome.code, 0, outcome.stderr);
    assertFigures(await written(folder), TRANSCODER);

    const texts = ["--dataset-configs", `${folder}/texts:{en,th}`];
    const refused = await runScript("count", ["--out-dir", folder, ...texts, ...transcoder]);
    assert.equal(refused.code, 2, refused.stdout);
    assert.match(refused.stderr, /reconstructs activations worse than their mean would/);
    const args = ["--out-dir", folder, ...texts, ...transcoder, "--no-guard"];
    const counted = await runScript("count", args);
    assert.equal(counted.code, 0, counted.stderr);
    for (const [code, language] of [["en", "English"], ["th", "Thai"]]) {
      const bytes = await Deno.readFile(join(folder, `counts/texts/${code}.safetensors`));
      const { firedTokens } = decodeCounts(bytes, code);
      const silent = firedTokens.filter((count) => count === 0).length;
      assert.equal(silent, TRANSCODER["layers.1.mlp"][language].dead, language);
    }
  });
});

Deno.test("token ids by language, a window each; without splicing there is no CE", async () => {
  await withFolder(async (folder) => {
    const ids = Uint32Array.from({ length: 40 }, (_, i) => 17 * i % 8190);
    const path = join(folder, "tokens.safetensors");
    const tokens = encodeSafetensors({
      en: { dtype: "U32", shape: [40], data: ids },
      de: { dtype: "U32", shape: [16], data: ids.slice(16, 32) },
    });
    await Deno.writeFile(path, tokens);
    const args = ["--tokens", path, "--ctx-len", "16", "--windows", "1", "--no-splice"];
    const outcome = await evaluate(folder, ...args);
    assert.equal(outcome.code, 0, outcome.stderr);
    const { saes: [{ all, languages }] } = await written(folder);
    assert.deepEqual(languages.map(({ language, tokens }) => [language, tokens]), [
      ["English", 16],
      ["German", 16],
    ]);
    assert.equal(all.tokens, 32);
    assert.ok(Number(all.fvu) > 0);
    assert.equal(all.ce_sae, null);
  });
});

Deno.test("what cannot be evaluated is refused in one sentence", async () => {
  await withTexts(async (folder) => {
    const refused: [string[], RegExp][] = [
      [["--layer", "layers.0.mlp.act_fn"], /are neurons, which have no SAE to evaluate/],
      [["--tokens", folder], /holds no token ids/],
      [["--exclude-tokens", "pad"], /--exclude-tokens pad is no token/],
    ];
    for (const [args, sentence] of refused) {
      const { code, stderr } = await evaluate(folder, ...args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, sentence);
      assert.equal(stderr.trim().split("\n").length, 1, stderr);
    }
  });
});
