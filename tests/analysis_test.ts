/** babelscope similarity, top-tokens and opposing as wholes, against NumPy and PyTorch. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type LapeFeature, lapeResultJson } from "../lib/lape/lape_json.ts";
import { readTable } from "../lib/data/tables.ts";
import embedded from "./fixtures/analysis/embedded.json" with { type: "json" };
import { filesUnder, hashesOf, writeCorpus } from "./support/folders.ts";
import { ROOT, runScript, withFolder } from "./support/run.ts";

const TEXTS: Record<string, string[]> = JSON.parse(
  await Deno.readTextFile(join(ROOT, "tests/fixtures/oracle/texts.json")),
);
const FEATURES = embedded.features as unknown as Record<string, [number, number][]>;
const CELLS = ["index", "opposing_index", "feature_tokens", "opposing_tokens", "both_tokens"];

/** Features, [layer, index], as a lape.json. */
async function writeLape(path: string, features = FEATURES): Promise<string> {
  const languages = Object.keys(features);
  const rest = { entropy: 0.5, probability: 0.5, globalMax: 1, globalMin: 0, globalAvg: 0.5 };
  const lape = lapeResultJson({
    languages,
    examples: languages.map(() => 12),
    tokens: languages.map(() => 900),
    layers: 6,
    features: languages.map((language) =>
      features[language].map(([layer, index]): LapeFeature => ({ layer, index, ...rest }))
    ),
  });
  await Deno.writeTextFile(path, JSON.stringify(lape));
  return path;
}

/** Options of a run on the oracle's texts and the fixture's features. */
async function onOracle(folder: string): Promise<string[]> {
  await writeCorpus(join(folder, "texts"), { en: TEXTS.en, th: TEXTS.th });
  const lape = await writeLape(join(folder, "lape.json"));
  return ["--dataset-configs", `${folder}/texts:{en,th}`, "--lape-result-path", lape];
}

async function succeed(step: string, args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runScript(step, args);
  assert.equal(code, 0, stderr);
  return stdout;
}

/** The rows of a table, numbers as numbers. */
async function rowsOf(path: string): Promise<Record<string, unknown>[]> {
  const table = await readTable(path);
  const names = Object.keys(table);
  const plain = (cell: unknown) => typeof cell === "bigint" ? Number(cell) : cell;
  return table[names[0]].map((_, i) =>
    Object.fromEntries(names.map((name) => [name, plain(table[name][i])]))
  );
}

function assertNear(actual: unknown, expected: number, tolerance: number, what: string): void {
  const error = Math.abs(Number(actual) - expected);
  assert.ok(error <= tolerance, `${what}: ${actual}, expected ${expected}`);
}

Deno.test("similarity: IoU and correlation are those of an independent model and NumPy", () =>
  withFolder(async (folder) => {
    const out = join(folder, "out");
    const stdout = await succeed("similarity", [
      ...["--out-dir", out, ...await onOracle(folder), "--top", "2"],
    ]);
    assert.deepEqual(await filesUnder(join(out, "similarity")), [
      ...["iou/English.csv", "iou/Thai.csv", "pairs.csv", "pairs.parquet"],
      ...["pearson/English.csv", "pearson/Thai.csv", "run.json"],
    ]);
    const rows = await rowsOf(join(out, "similarity/pairs.parquet"));
    const expected = Object.entries(embedded.similarity);
    assert.equal(rows.length, expected.flatMap(([, pairs]) => pairs).length);
    for (const [language, pairs] of expected) {
      const own = rows.filter((row) => row.language === language);
      const features = FEATURES[language];
      const named = features.flatMap((a, i) => features.slice(i + 1).map((b) => [...a, ...b]));
      for (const [i, [both, either, pearson]] of pairs.entries()) {
        const { layer_a, index_a, layer_b, index_b } = own[i];
        assert.deepEqual([layer_a, index_a, layer_b, index_b], named[i]);
        assert.deepEqual([own[i].both, own[i].either], [both, either], `${named[i]}`);
        assert.equal(own[i].iou, both! / either!);
        if (pearson === null) assert.equal(own[i].pearson, null);
        else assertNear(own[i].pearson, pearson, 1e-4, `r of ${named[i]}`);
      }
      // the matrix is the table twice, and its diagonal
      const csv = await Deno.readTextFile(join(out, `similarity/iou/${language}.csv`));
      const lines = csv.trimEnd().split("\n").map((line) => line.split(","));
      assert.deepEqual(lines[0], ["feature", ...features.map(([l, i]) => `L${l}/${i}`)]);
      const mean = own.reduce((sum, { iou }) => sum + Number(iou), 0) / own.length;
      assert.match(stdout, new RegExp(`${language} +${features.length} +${mean.toFixed(3)} `));
      let pair = 0;
      for (let a = 0; a < features.length; a++) {
        assert.equal(lines[a + 1][a + 1], "1");
        for (let b = a + 1; b < features.length; b++, pair++) {
          assert.deepEqual([lines[a + 1][b + 1], lines[b + 1][a + 1]], [
            ...[String(own[pair].iou), String(own[pair].iou)],
          ]);
        }
      }
    }
  }));

Deno.test("similarity: PAWS-X takes part, but not under --compat paper (Q24)", () =>
  withFolder(async (folder) => {
    const lape = await writeLape(join(folder, "lape.json"));
    for (const name of ["paws-x", "other"]) {
      await writeCorpus(join(folder, name), { en: TEXTS.en.slice(0, 3) });
    }
    const run = async (out: string, names: string, ...args: string[]) => {
      await succeed("similarity", [
        ...["--out-dir", join(folder, out), "--lape-result-path", lape],
        ...[
          "--dataset-configs",
          `${folder}/${names}:en:train:0:3`,
          "--text-column",
          "text",
          ...args,
        ],
      ]);
      return await hashesOf(join(folder, out, "similarity/iou"));
    };
    const pairs = async (out: string) => await rowsOf(join(folder, out, "similarity/pairs.csv"));
    const single = await run("single", "other");
    assert.deepEqual(await run("paper", "{paws-x,other}", "--compat", "paper"), single);
    assert.deepEqual(await run("all", "{paws-x,other}"), single); // the same texts twice: the same IoU
    const twice = (await pairs("single")).map(({ either }) => String(2 * Number(either)));
    assert.deepEqual((await pairs("all")).map(({ either }) => either), twice);
  }));

Deno.test("top-tokens: logits of decoder rows are PyTorch's", () =>
  withFolder(async (folder) => {
    const lape = await writeLape(join(folder, "lape.json"));
    const args = ["--out-dir", folder, "--lape-result-path", lape];
    const stdout = await succeed("top-tokens", args);
    const sheets = join(folder, "top_token_features");
    assert.deepEqual((await filesUnder(sheets)).filter((name) => name.endsWith(".csv")), [
      ...["English.csv", "German.csv", "Thai.csv", "top_tokens.csv"],
    ]);
    const rows = await rowsOf(join(sheets, "top_tokens.parquet"));
    assert.equal(rows.length, 10 * Object.values(FEATURES).flat().length);
    for (const { layer, index, ids, logits } of embedded.tokens) {
      const own = rows.filter((row) => row.layer === layer && row.index === index).slice(0, 10);
      assert.deepEqual(own.map(({ rank }) => rank), own.map((_, i) => i + 1));
      for (const [i, { logit }] of own.entries()) {
        assertNear(logit, logits[i], 1e-4, `logit ${i} of L${layer}/${index}`);
        const isTie = [i - 1, i + 1].some((j) => Math.abs(logits[i] - logits[j]) < 1e-4);
        if (!isTie) assert.equal(own[i].token_id, ids[i]);
      }
    }
    assert.match(stdout, /English +6 +L\d/);

    const { stderr } = await runScript("top-tokens", [...args, "--identifier", "nobody"]);
    assert.match(stderr, /--identifier: expected eld, fasttext, none, got "nobody"/);
    await succeed("top-tokens", [...args, "--identifier", "eld", "--top", "4"]);
    const marked = await rowsOf(join(sheets, "Thai.csv"));
    assert.equal(marked.length, 4 * FEATURES.Thai.length);
    for (const { identified, own } of marked) {
      assert.equal(own, identified === "Thai" ? "1" : "0");
    }
    const thai = marked.filter(({ token }) => /^\p{Script=Thai}{3,}$/u.test(String(token)));
    assert.ok(thai.length > 0 && thai.every(({ own }) => own === "1"));
  }));

Deno.test("opposing: cosines and counts are NumPy's, also after a stop", () =>
  withFolder(async (folder) => {
    const options = await onOracle(folder);
    const out = join(folder, "out");
    const checkpoint = join(out, "hfls/checkpoint.jsonl");
    const child = new Deno.Command(`${ROOT}scripts/opposing.ts`, {
      args: ["--out-dir", out, ...options, "--batch-size", "1"],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const parts = () => Deno.readTextFile(checkpoint).catch(() => "");
    const deadline = Date.now() + 60_000;
    while (!(await parts()).includes('["texts 0"') && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    child.kill("SIGKILL");
    await child.status;
    const stdout = await succeed("opposing", ["--out-dir", out, ...options]);
    assert.ok(!(await filesUnder(join(out, "hfls"))).includes("checkpoint.jsonl"));

    const biases = await rowsOf(join(out, "hfls/sae_bias_similarity.parquet"));
    const rows = await rowsOf(join(out, "hfls/sae_opposing_features.parquet"));
    const tokens = await rowsOf(join(out, "hfls/sae_opposing_tokens.parquet"));
    const owned = Object.values(FEATURES).flat().length;
    assert.deepEqual([biases.length, rows.length], [owned, owned]);
    for (const { layer, index, bias, opposing, cosine, counts, both } of embedded.opposing) {
      const own = (row: Record<string, unknown>) => row.layer === layer && row.index === index;
      assertNear(biases.find(own)!.cosine, bias, 1e-6, "cosine with the bias");
      const row = rows.find(own)!;
      assertNear(row.cosine, cosine, 1e-6, "cosine");
      const sum = both.reduce((sum, [, count]) => sum + count, 0);
      assert.deepEqual(CELLS.map((name) => row[name]), [index, opposing, ...counts, sum]);
      const found = tokens.filter(own).map(({ token_id, count }) => [token_id, count]);
      assert.deepEqual(found.sort(([a], [b]) => Number(a) - Number(b)), both);
    }
    const [lowest] = embedded.opposing.toSorted((a, b) => a.cosine - b.cosine);
    assert.match(
      stdout.split("\n")[2],
      new RegExp(`^L${lowest.layer}/${lowest.index} +L${lowest.layer}/${lowest.opposing} `),
    );
  }));

Deno.test("bad input ends in one sentence and exit code 2", () =>
  withFolder(async (folder) => {
    await writeCorpus(join(folder, "texts"), { fr: TEXTS.fr.slice(0, 1) });
    const texts = ["--dataset-configs", `${folder}/texts:fr`];
    const lape = ["--lape-result-path", await writeLape(join(folder, "lape.json"))];
    const wide = await writeLape(join(folder, "wide.json"), { English: [[0, 2048]] });
    const neurons = ["--layer", "layers.0.mlp.act_fn"];
    const one = [
      "--lape-result-path",
      await writeLape(join(folder, "one.json"), { German: [[0, 1]] }),
    ];
    const cases: [string, string[], RegExp][] = [
      ["similarity", [...texts, ...lape], /no text is in one of these/],
      ["similarity", [...texts, "--lape-result-path", "no.json"], /Cannot read no\.json/],
      ["opposing", [...texts, "--lape-result-path", wide], /L0\/2048, but layers\.0\.mlp has 2048/],
      ["opposing", [...texts, ...one, ...neurons], /has no decoder, which opposing needs/],
      ["top-tokens", [...one, ...neurons], /has no decoder rows of 128 values/],
      ["top-tokens", [...one, "--layer", "layers.5.mlp"], /has no features in layers\.5\.mlp/],
      ["top-tokens", [...one, "--top", "0"], /expected a whole number of at least 1/],
    ];
    for (const [step, args, message] of cases) {
      const { code, stderr } = await runScript(step, ["--out-dir", join(folder, "out"), ...args]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, new RegExp(`^babelscope ${step}: [^\\n]*\\.\\n$`));
      assert.match(stderr, message);
    }
  }));
