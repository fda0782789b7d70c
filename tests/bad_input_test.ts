/** Bad input ends in one sentence that names it and exit code 2, and leaves nothing behind. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { copyFolder, filesUnder } from "./support/folders.ts";
import { babelscope, type Outcome, ROOT, runScript, withFolder } from "./support/run.ts";

const TEXTS = ["--dataset-configs", "udhr:en:train:0:4"];
const EMBEDDED = ["--model", "model", "--sae-model", "saes"];

/** Stderr without the line that says which software Vulkan is in use. */
function lines({ stderr }: Outcome): string[] {
  return stderr.trimEnd().split("\n").filter((line) => !line.includes("bundled software Vulkan"));
}

/** One sentence of the step on stderr that matches, exit code 2, no results. */
function assertRefused(outcome: Outcome, step: string, message: RegExp): void {
  assert.equal(outcome.code, 2, outcome.stderr);
  assert.equal(outcome.stdout, "");
  const said = lines(outcome);
  assert.equal(said.length, 1, outcome.stderr);
  assert.ok(said[0].startsWith(`babelscope ${step}: `), said[0]);
  assert.match(said[0], /[.?]$/);
  assert.match(said[0], message);
}

/** Something wrong with a copy of the embedded model and SAEs. */
interface Fault {
  readonly name: string;
  /** Runs in the folder that has `model` and `saes`. */
  readonly spoil?: (folder: string) => Promise<unknown>;
  readonly step?: "count" | "identify";
  readonly args: readonly string[];
  readonly message: RegExp;
}

/** Sets fields of a JSON file. */
async function change(path: string, fields: Record<string, unknown>): Promise<void> {
  const json = JSON.parse(await Deno.readTextFile(path));
  await Deno.writeTextFile(path, JSON.stringify({ ...json, ...fields }));
}

async function shorten(path: string, bytes: number): Promise<void> {
  await Deno.truncate(path, (await Deno.stat(path)).size - bytes);
}

const config = (folder: string) => join(folder, "model/config.json");
const cfg = (folder: string) => join(folder, "saes/layers.3.mlp/cfg.json");

const FAULTS: readonly Fault[] = [
  // Models
  {
    name: "a model folder that is not there",
    args: ["--model", "./no/such", "--sae-model", "saes", ...TEXTS],
    message: /There is no folder \.\/no\/such, and it is not the name of a repository/,
  },
  {
    name: "a model that is neither a folder nor in the cache of an unreachable hub",
    args: ["--model", "no/such", "--sae-model", "saes", ...TEXTS],
    message:
      /There is no folder no\/such here, and on the hub: HF_HUB_OFFLINE is set and the model no\/such is not in the cache/,
  },
  {
    name: "a GGUF file that is not there",
    args: ["--model", "model/model.gguf", "--layer", "layers.0.mlp.act_fn", ...TEXTS],
    message: /There is no file model\/model\.gguf; model has no GGUF file/,
  },
  {
    name: "a folder that is no model",
    args: ["--model", "saes", "--sae-model", "saes", ...TEXTS],
    message: /saes holds no model: expected config\.json, tokenizer\.json and model\.safetensors/,
  },
  {
    name: "a model without weights",
    spoil: (folder) => Deno.remove(join(folder, "model/model.safetensors")),
    args: [...EMBEDDED, ...TEXTS],
    message: /model holds no weights: expected model\.safetensors/,
  },
  {
    name: "a model without tokenizer",
    spoil: (folder) => Deno.remove(join(folder, "model/tokenizer.json")),
    args: [...EMBEDDED, ...TEXTS],
    message: /Cannot read model\/tokenizer\.json: it does not exist/,
  },
  {
    name: "a truncated model",
    spoil: (folder) => shorten(join(folder, "model/model.safetensors"), 1),
    args: [...EMBEDDED, ...TEXTS],
    message: /model\/model\.safetensors is truncated: .* promises 4459776 bytes/,
  },
  {
    name: "a config that is not JSON",
    spoil: (folder) => Deno.writeTextFile(config(folder), "{"),
    args: [...EMBEDDED, ...TEXTS],
    message: /model\/config\.json is not JSON/,
  },
  {
    name: "an architecture that is not supported",
    spoil: (folder) => change(config(folder), { model_type: "gemma2" }),
    args: [...EMBEDDED, ...TEXTS],
    message: /"model_type" is "gemma2", but only "llama" is supported/,
  },
  {
    name: "a config field that is not supported",
    spoil: (folder) => change(config(folder), { hidden_act: "gelu" }),
    args: [...EMBEDDED, ...TEXTS],
    message: /"hidden_act" is "gelu", but only "silu" is supported/,
  },
  {
    name: "a rope scaling that is not supported",
    spoil: (folder) => change(config(folder), { rope_scaling: { rope_type: "yarn", factor: 2 } }),
    args: [...EMBEDDED, ...TEXTS],
    message: /"rope_scaling" has type "yarn"/,
  },
  {
    name: "weights of other shapes than the config says",
    spoil: (folder) => change(config(folder), { intermediate_size: 400 }),
    args: [...EMBEDDED, ...TEXTS],
    message: /model: "model\.layers\.\d\.mlp.*" has shape .*, but .*400.* is expected/,
  },
  // SAEs
  {
    name: "a model of one's own without SAEs",
    args: ["--model", "model", ...TEXTS],
    message: /No SAEs are named for the model model: give their folder by --sae-model/,
  },
  {
    name: "an SAE folder that is not there",
    args: ["--model", "model", "--sae-model", "./no/such", ...TEXTS],
    message: /There is no folder \.\/no\/such, and it is not the name of a repository/,
  },
  {
    name: "a folder without SAEs",
    args: ["--model", "model", "--sae-model", "model", ...TEXTS],
    message: /model has no SAE: expected folders with cfg\.json and sae\.safetensors/,
  },
  {
    name: "a truncated SAE",
    spoil: (folder) => shorten(join(folder, "saes/layers.3.mlp/sae.safetensors"), 4),
    args: [...EMBEDDED, ...TEXTS],
    message: /saes\/layers\.3\.mlp\/sae\.safetensors is truncated/,
  },
  {
    name: "an SAE that was cut down to nothing",
    spoil: (folder) => Deno.writeTextFile(join(folder, "saes/layers.3.mlp/sae.safetensors"), ""),
    args: [...EMBEDDED, ...TEXTS],
    message: /sae\.safetensors is not a valid safetensors file: it is 0 bytes long/,
  },
  {
    name: "an SAE of another shape than its config says",
    spoil: (folder) => change(cfg(folder), { num_latents: 4096 }),
    args: [...EMBEDDED, ...TEXTS],
    message: /"encoder\.weight" has shape \[2048,128\], but \[4096,128\] is expected/,
  },
  {
    name: "an SAE of another kind",
    spoil: (folder) => change(cfg(folder), { activation: "jumprelu" }),
    args: [...EMBEDDED, ...TEXTS],
    message: /layers\.3\.mlp\/cfg\.json: activation "jumprelu" is not supported/,
  },
  {
    name: "SAEs of another model",
    args: ["--model", "tiny", "--sae-model", "saes", "--layer", "layers.0.mlp", ...TEXTS],
    spoil: async (folder) => {
      await copyFolder(`${ROOT}tests/fixtures/tiny_llama32`, join(folder, "tiny"));
      for (const name of ["tokenizer.json", "tokenizer_config.json"]) {
        await Deno.copyFile(join(folder, "model", name), join(folder, "tiny", name));
      }
      await change(join(folder, "tiny/config.json"), { vocab_size: 8192 });
    },
    message:
      /layers\.0\.mlp reads activations of width 128, but layers\.0\.mlp of this model has width 80|"model\.embed_tokens\.weight" has shape/,
  },
  {
    name: "a hookpoint that has no SAE",
    spoil: (folder) => Deno.remove(join(folder, "saes/layers.2.mlp"), { recursive: true }),
    args: [...EMBEDDED, "--layer", "layers.{1..3}.mlp", ...TEXTS],
    message: /saes has no SAE for hookpoint layers\.2\.mlp; it has: layers\.0\.mlp, layers\.1/,
  },
  {
    name: "a hookpoint that the model does not have",
    args: ["--layer", "layers.7.mlp", ...TEXTS],
    message: /hookpoint "layers\.7\.mlp" is not in this model: .* from 0 to 5/,
  },
  {
    name: "latents and neurons at once",
    args: ["--layer", "layers.0.mlp", "layers.1.mlp.act_fn", ...TEXTS],
    message: /--layer names both neurons \(.*\) and hookpoints of SAEs/,
  },
  {
    name: "two SAEs for one hookpoint",
    spoil: (folder) => copyFolder(join(folder, "saes"), join(folder, "saes/seed1")),
    args: [...EMBEDDED, ...TEXTS],
    message:
      /There are 2 SAEs for layers\.0\.mlp: saes\/layers\.0\.mlp, saes\/seed1\/layers\.0\.mlp/,
  },
  {
    name: "an SAE that was trained at another hookpoint",
    args: [
      ...["--model", "model", "--sae-model", "layers.5.mlp=saes/layers.0.mlp"],
      ...["--dataset-configs", "udhr:en:train:0:8"],
    ],
    message:
      /saes\/layers\.0\.mlp .* at layers\.5\.mlp of this model \(FVU .*\): check .* --no-guard\.$/,
  },
  // Texts
  {
    name: "an unknown language",
    args: ["--dataset-configs", "udhr:zz"],
    message: /Unknown language "zz", .*did you mean zh/,
  },
  {
    name: "a language that the corpus does not have",
    args: ["--dataset-configs", "udhr:sv"],
    message: /udhr has no texts in Swedish/,
  },
  {
    name: "a corpus that is not there",
    args: ["--dataset-configs", "./no/such:en"],
    message: /There is no corpus "\.\/no\/such"/,
  },
  {
    name: "an empty text file",
    spoil: (folder) => Deno.writeTextFile(join(folder, "en.txt"), "\n\n"),
    args: ["--dataset-configs", ".:en"],
    message: /The data set \.:en has no texts/,
  },
  {
    name: "text that is not UTF-8",
    spoil: (folder) => Deno.writeFile(join(folder, "en.txt"), Uint8Array.of(97, 10, 98, 0xff, 10)),
    args: ["--dataset-configs", ".:en"],
    message: /en\.txt line 2, byte 2, is not UTF-8/,
  },
  {
    name: "a field that the lines do not have",
    spoil: (folder) => Deno.writeTextFile(join(folder, "en.jsonl"), '{"body":"one"}\n'),
    args: ["--dataset-configs", ".:en"],
    message: /en\.jsonl line 1 has no "text" but body; .*--text-column/,
  },
  {
    name: "a text longer than a batch",
    args: ["--dataset-configs", "udhr:{en,de}:train:0:4", "--block-tokens", "75"],
    message:
      /Row \d of udhr:en:train:0:4 has \d+ tokens, but a batch holds 75: raise --block-tokens/,
  },
  // Options
  {
    name: "an unknown option",
    args: ["--dataset-config", "udhr:en"],
    message: /unknown option '--dataset-config'; did you mean --dataset-configs\?/,
  },
  {
    name: "an option out of its range",
    args: ["--batch-size", "0"],
    message: /--batch-size: expected a whole number from 1 to 65536, got "0"/,
  },
  {
    name: "a memory budget that is no size",
    args: ["--memory-budget", "lots"],
    message: /--memory-budget: expected a size such as "2GiB"/,
  },
  {
    name: "a memory budget that is too small",
    args: [...TEXTS, "--memory-budget", "1MiB"],
    message: /of the 1\.00 MiB of --memory-budget are in use: raise the budget/,
  },
  {
    name: "an unknown option in a config",
    spoil: (folder) => Deno.writeTextFile(join(folder, "run.toml"), "layers = 3\n"),
    args: ["--config", "run.toml"],
    message: /run\.toml: unknown option "layers"; did you mean "layer"/,
  },
  {
    name: "more sharing languages than there are",
    step: "identify",
    args: ["--dataset-configs", "udhr:{en,de}", "--lang-shared", "--shared-count", "3"],
    message: /--shared-count is 3, expected a whole number from 1 to the number of languages, 2/,
  },
  {
    name: "--in-path without counts",
    step: "identify",
    args: ["--in-dir", "model", "--in-path", "."],
    message: /model holds no counts, .*run "babelscope count" first/,
  },
  {
    name: "--in-path that is not there",
    step: "identify",
    args: ["--in-dir", "model", "--in-path", "counts"],
    message: /model\/counts: it does not exist/,
  },
  {
    name: "counts of a language that were not made",
    step: "identify",
    args: [
      "--in-dir",
      `${ROOT}tests/fixtures/oracle`,
      "--in-path",
      "counts",
      "--dataset-configs",
      "sae:sv",
    ],
    message: /counts\/sae\/sv\.safetensors: it does not exist/,
  },
  {
    name: "a damaged counts file",
    step: "identify",
    spoil: async (folder) => {
      await Deno.mkdir(join(folder, "counts/udhr"), { recursive: true });
      await Deno.writeTextFile(join(folder, "counts/udhr/en.safetensors"), "not counts at all");
    },
    args: ["--in-dir", ".", "--in-path", "counts"],
    message: /counts\/udhr\/en\.safetensors is not a valid safetensors file/,
  },
  {
    name: "an algorithm that does not exist",
    step: "identify",
    args: ["--algorithm", "sae_lap"],
    message: /--algorithm: .*did you mean "sae_lape"/,
  },
];

for (const { name, spoil, step = "count", args, message } of FAULTS) {
  Deno.test(`refused in one sentence: ${name}`, async () => {
    await withFolder(async (cwd) => {
      await copyFolder(`${ROOT}assets/demo/model`, join(cwd, "model"));
      await copyFolder(`${ROOT}assets/demo/sae`, join(cwd, "saes"));
      await spoil?.(cwd);
      const before = await filesUnder(cwd);
      const outcome = await runScript(step, args, { cwd, env: { HF_HUB_OFFLINE: "1" } });
      assertRefused(outcome, step, message);
      assert.deepEqual(await filesUnder(cwd), before, "nothing is left behind");
    });
  });
}

Deno.test("an output folder that cannot be written is found before counting", async () => {
  await withFolder(async (cwd) => {
    await Deno.writeTextFile(join(cwd, "file"), "");
    for (const step of ["count", "identify"]) {
      for (const out of ["file", "file/results", "/proc/results"]) {
        const outcome = await runScript(step, [...TEXTS, "--out-dir", out], { cwd });
        assertRefused(outcome, step, /Cannot write .*(file|results).*; choose a place/);
      }
    }
    assert.deepEqual(await filesUnder(cwd), ["file"]);
    assert.equal(await Deno.readTextFile(join(cwd, "file")), "");
  });
});

Deno.test("results that cannot be written where counts can are one sentence", async () => {
  await withFolder(async (cwd) => {
    await Deno.writeTextFile(join(cwd, "file"), "");
    const args = ["--in-dir", `${ROOT}tests/fixtures/oracle`, "--in-path", "counts"];
    const named = ["--dataset-configs", "sae:{en,th}", "--out-dir", "file"];
    const outcome = await runScript("identify", [...args, ...named], { cwd });
    assertRefused(
      outcome,
      "identify",
      /Cannot write .*file: a file is in the place of a folder; choose a place/,
    );
    assert.deepEqual(await filesUnder(cwd), ["file"]);
  });
});

Deno.test("an unknown step is one sentence with the nearest", async () => {
  const { code, stdout, stderr } = await babelscope(["identity"]);
  assert.equal(code, 2);
  assert.equal(stdout, "");
  assert.equal(stderr, 'babelscope: there is no step "identity"; did you mean "identify"?\n');
});

Deno.test("a script without its permissions names the first that it lacks", async () => {
  for (const step of ["count", "identify"]) {
    const child = new Deno.Command("deno", {
      args: ["run", "--quiet", `${ROOT}scripts/${step}.ts`, ...TEXTS],
      stdin: "null",
      env: { NO_COLOR: "1" },
    });
    const { code, stderr } = await child.output();
    assert.equal(code, 2);
    const said = new TextDecoder().decode(stderr);
    assert.match(said, new RegExp(`^babelscope ${step}: .*; add --allow-.*\n$`));
  }
});
