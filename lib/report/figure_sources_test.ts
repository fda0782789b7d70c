import assert from "node:assert/strict";
import { join } from "node:path";
import { writeAtomic } from "../data/files.ts";
import { type Columns, writeTable } from "../data/tables.ts";
import { InputError } from "../formats/input_error.ts";
import type { Figure } from "../figures/figure.ts";
import { lapeResultJson } from "../lape/lape_json.ts";
import { temporaryFolder } from "../../tests/support/folders.ts";
import { type FigureOptions, readFigures } from "./figure_sources.ts";

const LANGUAGES = ["German", "Thai"];

/** (language, layer, index, entropy) of four features. */
const FEATURES = [
  ["German", 0, 5, 0.5],
  ["Thai", 0, 1, 0.25],
  ["Thai", 0, 2, 0.125],
  ["Thai", 0, 9, 0.375],
] as const;

async function writeJson(folder: string, name: string, value: unknown): Promise<void> {
  await writeAtomic(join(folder, name), JSON.stringify(value));
}

/** A table from its rows. */
async function table(folder: string, name: string, rows: readonly Columns[string][number][][]) {
  const [names, ...cells] = rows;
  const columns = names.map((column, i) => [String(column), cells.map((row) => row[i])]);
  await writeTable(join(folder, name), Object.fromEntries(columns));
}

/** What identify leaves of FEATURES. */
async function writeIdentification(folder: string, options: Record<string, unknown> = {}) {
  const features = LANGUAGES.map((name) =>
    FEATURES.filter(([language]) => language === name).map(([, layer, index, entropy]) => ({
      ...{ layer, index, entropy, probability: 0.5, globalMax: 3, globalMin: 1, globalAvg: 2 },
    }))
  );
  const result = { languages: LANGUAGES, examples: [4, 4], tokens: [40, 40], layers: 2, features };
  await writeJson(folder, "lape.json", lapeResultJson(result));
  await writeJson(folder, "run.json", { options });
  await writeFeatures(folder, FEATURES.map((feature) => [...feature, 1]));
}

async function writeFeatures(folder: string, rows: (string | number)[][]) {
  await table(folder, "features", [
    [
      "language",
      "layer",
      "index",
      "entropy",
      "shares",
      "probability",
      "fired_tokens",
      "avg",
      "max",
    ],
    ...rows.map((row) => [...row, 0.5, 20, 2, 3]),
  ]);
}

async function figuresOf(
  write: (folder: string) => Promise<void>,
  options?: FigureOptions,
): Promise<Map<string, Figure>> {
  await using folder = await temporaryFolder();
  await write(folder.path);
  const figures = await readFigures(folder.path, options);
  const byId = new Map(figures.map((figure) => [figure.id, figure]));
  assert.equal(byId.size, figures.length, "anchors are unique");
  assert.deepEqual(JSON.parse(JSON.stringify(figures)), figures, "figures are JSON");
  return byId;
}

Deno.test("an empty folder has no figures, and one that is not there neither", async () => {
  assert.equal((await figuresOf(() => Promise.resolve())).size, 0);
  assert.deepEqual(await readFigures("/there/is/no/such/folder"), []);
});

Deno.test("identify: counts, entropies and activity; owners with a histogram or shared features", async () => {
  const usual = await figuresOf(writeIdentification);
  assert.deepEqual([...usual.keys()], [
    "features-per-language-and-layer",
    "features-per-layer",
    "features-per-language",
    "entropy-distribution",
    "how-often-how-strongly",
    "how-often-how-specific",
  ]);
  assert.deepEqual(
    usual.get("entropy-distribution")?.rows,
    FEATURES.map(([language, layer, index, entropy]) => ({ language, layer, index, entropy })),
  );
  const paper = await figuresOf((folder) => writeIdentification(folder, { compat: "paper" }));
  assert.equal(paper.get("entropy-distribution")?.rows.length, 8);
  const histogram = await figuresOf(writeIdentification, { shareHistogram: [4, 3] });
  assert.deepEqual(histogram.get("owners")?.rows.map((row) => row.candidates), [4, 3]);
  const shared = await figuresOf(async (folder) => {
    await writeIdentification(folder);
    await writeFeatures(join(folder, "shared", "2"), [["German", 1, 3, 0.6, 2], [
      "Thai",
      1,
      3,
      0.6,
      2,
    ]]);
  });
  assert.deepEqual(shared.get("owners")?.rows.map((row) => row.candidates), [4, 1]);
  assert.deepEqual(shared.get("shared-intersections")?.rows.map((row) => row.common), [1, 1, 1]);
});

Deno.test("neurons stand beside features, or alone", async () => {
  const beside = await figuresOf(async (folder) => {
    await writeIdentification(folder);
    await writeIdentification(join(folder, "neurons"), { algorithm: "lape" });
  });
  assert.ok(beside.has("neurons-per-layer") && beside.has("features-per-layer"));
  const alone = await figuresOf((folder) => writeIdentification(folder, { algorithm: "lape" }));
  assert.ok(alone.has("neurons-per-layer") && !alone.has("features-per-layer"));
});

Deno.test("ppl: matrices, effects and strengths; controls are not in the matrix", async () => {
  const figures = await figuresOf(async (folder) => {
    for (const multiplier of ["-0.2", "0.2"]) {
      const place = join(folder, "ppl", `sae-features_max_${multiplier}`);
      await table(place, "change_matrix", [
        ["intervened", "impacted", "control", "mean_change", "corpus_ratio"],
        ["th", "th", 0, 10, 2],
        ["th", "de", 0, 1, 1],
        ["th", "th", 1, 99, 9],
      ]);
      const measured = (mean: number) => ({ mean, low: null, high: null });
      await writeJson(place, "effects.json", {
        languages: [{
          language: "Thai",
          own: measured(Number(multiplier)),
          others: measured(0),
          control_own: null,
          control_others: null,
        }],
      });
    }
  });
  const matrix = figures.get("perplexity-change-sae-features-max-minus-0-2");
  assert.deepEqual(
    matrix?.rows.map(({ intervened, impacted, mean_change }) => [
      ...[intervened, impacted, mean_change],
    ]),
    [["Thai", "Thai", 10], ["Thai", "German", 1]],
  );
  assert.equal(figures.get("perplexity-effects-sae-features-max-0-2")?.rows[0].nats_per_token, 0.2);
  const strengths = figures.get("perplexity-by-strength-sae-features-max")?.rows
    .filter(({ texts }) => texts === "own language");
  assert.deepEqual(strengths?.map((row) => row.nats_per_token), [-0.2, 0, 0.2]);
});

Deno.test("generate: texts are judged, those without steering are the strength 0", async () => {
  const german = "Alle Menschen sind frei und gleich an Würde und Rechten geboren.";
  const english = "All human beings are born free and equal in dignity and rights.";
  const figures = await figuresOf((folder) =>
    table(join(folder, "text_generation"), "generations", [
      ["language", "multiplier", "control", "text"],
      ["", 0, 0, english],
      ["German", 0.4, 0, german],
      ["German", 0.4, 0, english],
      ["German", 0.4, 1, english],
    ])
  );
  assert.deepEqual(
    figures.get("steered-texts")?.rows.map(({ multiplier, features, hits, texts }) => [
      ...[multiplier, features, hits, texts],
    ]),
    [
      [0, "language's features", 0, 1],
      [0.4, "language's features", 1, 2],
      [0.4, "random features", 0, 1],
    ],
  );
});

Deno.test("classify: languages by name, in the order of their names", async () => {
  const figures = await figuresOf((folder) =>
    writeJson(join(folder, "classification", "sae-count"), "metrics.json", {
      classes: ["deu", "bul"],
      accuracy: 0.75,
      precision: [1, 0.5],
      recall: [0.5, 1],
      f1: [0.6, 0.7],
      f1_macro: 0.65,
      confusion_matrix: [[1, 1], [0, 2]],
      accuracy_interval: null,
      f1_macro_interval: [0.5, 0.9],
    })
  );
  assert.deepEqual(
    figures.get("confusion-sae-count")?.rows.map((row) => [row.true, row.predicted, row.texts]),
    [
      ["Bulgarian", "Bulgarian", 2],
      ["Bulgarian", "German", 0],
      ["German", "Bulgarian", 1],
      ["German", "German", 1],
    ],
  );
  assert.deepEqual(figures.get("classifiers-f1")?.rows.map(({ f1 }) => f1), [0.7, 0.6]);
});

Deno.test("similarity, opposing and statistics", async () => {
  const figures = await figuresOf(async (folder) => {
    await table(join(folder, "similarity"), "pairs", [
      ["language", "layer_a", "index_a", "layer_b", "index_b", "iou", "pearson"],
      ["Thai", 0, 1, 0, 2, 0.5, null],
    ]);
    await table(join(folder, "hfls"), "sae_opposing_features", [
      ["language", "layer", "index", "cosine", "both_tokens"],
      ["Thai", 0, 1, -0.75, 0],
      ["Thai", 0, 2, null, 0],
    ]);
    for (const dataSet of ["udhr", "flores"]) {
      const place = join(folder, "statistics", dataSet, "summary", "layers.1.mlp");
      await table(place, "th", [["index", "count"], [0, 2], [1, 0], [2, 6], [3, 6000]]);
    }
  });
  assert.equal(figures.get("iou-thai")?.rows.length, 3);
  assert.equal(figures.get("pearson-thai")?.rows.length, 2);
  assert.equal(figures.get("opposing-directions")?.rows.length, 1);
  assert.deepEqual(figures.get("latent-counts-1")?.rows, [{
    ...{ language: "Thai", layer: 1, low: 4, q1: 8, median: 12, q3: 6006, high: 12_000 },
    ...{ rare: 2, frequent: 0, constant: 1 },
  }]);
});

Deno.test("interpret: entropy against scores, controls, and explanations", async () => {
  const figures = await figuresOf(async (folder) => {
    await writeIdentification(folder);
    await table(join(folder, "interpret"), "scores", [
      ["group", "scorer", "layer", "latent", "accuracy"],
      ...FEATURES.map(([, layer, index, entropy]) => [
        ...["identified", "fuzz", layer, index, 1 - entropy],
      ]),
      ["random", "fuzz", 0, 77, 0.5],
    ]);
  });
  const figure = figures.get("entropy-and-accuracy");
  assert.equal(figure?.rows.length, 4);
  assert.match(figure?.see ?? "", /r = −1\.000/);
  assert.deepEqual(
    figures.get("scores-and-controls")?.rows.map(({ kind, latents }) => [kind, latents]),
    [
      ["fuzz, identified", 4],
      ["fuzz, random", 1],
    ],
  );
});

Deno.test("several runs of interpret are not taken for one", async () => {
  const figures = await figuresOf(async (folder) => {
    await writeIdentification(folder);
    for (const [run, sign] of [["small", -1], ["large", 1]] as const) {
      await table(join(folder, "interpret", run), "scores", [
        ["group", "scorer", "layer", "latent", "accuracy"],
        ...FEATURES.map(([, layer, index, entropy]) => [
          ...["identified", "fuzz", layer, index, 0.5 + sign * entropy / 10],
        ]),
      ]);
    }
  });
  const { see, rows } = figures.get("entropy-and-accuracy")!;
  assert.equal(rows.length, 8);
  assert.match(see, /fuzz \(interpret\/large\) r = 1\.000.*fuzz \(interpret\/small\) r = −1\.000/);
});

Deno.test("train-sae and evaluate-sae, wherever in the folder; a line that is being written is left", async () => {
  const figures = await figuresOf(async (folder) => {
    const lines = [
      `{"step":1,"tokens":10,"k":4,"fvu/layers.0":0.5,"lr/layers.0":0.1}`,
      `{"step":2,"tokens":20,"k":4,"fvu/layers.0":0.25,"lr/layers.0":0.1}`,
      `{"step":3,"tok`,
    ];
    await writeAtomic(join(folder, "run", "metrics.jsonl"), lines.join("\n"));
    await table(join(folder, "evaluation"), "evaluation", [
      ["hookpoint", "language", "fvu", "l0", "dead_share", "ce_recovered_zero", "kl_sae"],
      ["layers.0", "all", 0.25, 16, 0, null, null],
    ]);
  });
  assert.deepEqual([...figures.keys()], [
    ...["training-fvu-run", "training-lr-run"],
    ...["evaluation-fvu", "evaluation-l0", "evaluation-dead-share"],
  ]);
  assert.deepEqual(figures.get("training-fvu-run")?.rows[1], {
    ...{ step: 2, tokens: 20, coder: "layers.0", layer: 0, fvu: 0.25 },
  });
});

Deno.test("maps: decoder rows of the embedded SAEs, features before the background, made once", async () => {
  await using folder = await temporaryFolder();
  await writeIdentification(folder.path, { layer: ["layers.0.mlp"] });
  const layers: number[] = [];
  const explanations = new Map([["0/5", "x"]]);
  const progress = (layer: number) => layers.push(layer);
  const read = () => readFigures(folder.path, { maps: true, progress, explanations });
  const figures = await read();
  const map = figures.find(({ id }) => id === "decoder-map-0");
  assert.equal(map?.rows.length, 4 + 1500);
  assert.deepEqual(
    map?.rows.slice(0, 5).map(({ language, index }) => [language, index]),
    [...FEATURES.map(([language, , index]) => [language, index]), [null, map?.rows[4].index]],
  );
  assert.deepEqual(map?.rows.slice(0, 2).map(({ explanation }) => explanation), ["x", undefined]);
  assert.deepEqual(await read(), figures);
  assert.deepEqual(layers, [0]);
});

Deno.test("maps are of the SAEs that features were found with, or not at all", async () => {
  await using folder = await temporaryFolder();
  const manifest = {
    options: { layer: ["layers.0.mlp"] },
    saes: { sha256: { "layers.0.mlp/sae.safetensors": "0".repeat(64) } },
  };
  await writeIdentification(folder.path);
  await writeJson(folder.path, "run.json", manifest);
  await assert.rejects(
    readFigures(folder.path, { maps: true }),
    (error) => error instanceof InputError && /SAEs are not those/.test(error.message),
  );
  const gone = { ...manifest.options, localSaeDir: [join(folder.path, "gone")] };
  await writeJson(folder.path, "run.json", { options: gone });
  await assert.rejects(readFigures(folder.path, { maps: true }), InputError);
});

Deno.test("damaged files are named in one sentence", async () => {
  const damaged: [string, string][] = [
    ["features.parquet", "PAR1"],
    ["lape.json", "[]"],
    ["classification/x/metrics.json", `{"classes":1}`],
    ["run/metrics.jsonl", "not json\n{}\n"],
  ];
  for (const [name, content] of damaged) {
    await using folder = await temporaryFolder();
    await writeIdentification(folder.path);
    await writeAtomic(join(folder.path, name), content);
    await assert.rejects(readFigures(folder.path), (error) => {
      assert.ok(error instanceof InputError, `${name}: ${error}`);
      assert.ok(error.message.includes(name), error.message);
      return true;
    });
  }
});
