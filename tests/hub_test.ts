/** Models, SAEs and texts from a hub, through the command line, as from local folders. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { writeTable } from "../lib/data/tables.ts";
import { type Counts, decodeCounts } from "../lib/formats/counts.ts";
import { equalCounts } from "../lib/lape/counts.ts";
import { filesUnder } from "./support/folders.ts";
import { type HubRepo, type HubServer, startHubServer } from "./support/hub_server.ts";
import { type Outcome, ROOT, runScript, withFolder } from "./support/run.ts";

const MODEL = "meta-llama/Llama-3.2-1B";
const SAES = "EleutherAI/sae-Llama-3.2-1B-131k";
const DEMO = `${ROOT}assets/demo`;

const XNLI = {
  en: {
    premise: ["All people are born free.", "Everyone has a name."],
    hypothesis: ["Nobody is a slave.", "Names are useful, and so on."],
  },
  de: {
    premise: ["Alle Menschen sind frei geboren.", "Jeder hat einen Namen."],
    hypothesis: ["Niemand ist ein Sklave.", "Namen sind nützlich, und so weiter."],
  },
};

const utf8 = (text: string) => new TextEncoder().encode(text);

/** Contents of the files under a folder. */
async function contents(folder: string): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  for (const path of await filesUnder(folder)) {
    files[path] = await Deno.readFile(join(folder, path));
  }
  return files;
}

/** The embedded model, SAEs and a few texts under the names of the paper's. */
async function paperRepos(): Promise<HubRepo[]> {
  return await Array.fromAsync(
    [
      { kind: "model", id: MODEL, files: await contents(`${DEMO}/model`), gated: "needs-token" },
      { kind: "model", id: SAES, files: await contents(`${DEMO}/sae`) },
      { kind: "dataset", id: "facebook/xnli", files: await xnliFiles() },
    ] as const,
  );
}

async function xnliFiles(): Promise<Record<string, Uint8Array>> {
  // Every repository of the real hub has this file.
  const files: Record<string, Uint8Array> = { ".gitattributes": utf8("*.parquet filter=lfs\n") };
  await withFolder(async (folder) => {
    for (const [lang, columns] of Object.entries(XNLI)) {
      await writeTable(join(folder, lang), columns);
      const bytes = await Deno.readFile(join(folder, `${lang}.parquet`));
      files[`${lang}/train-00000-of-00001.parquet`] = bytes;
    }
  });
  return files;
}

/** The environment of a user of the hub whose caches are in a folder. */
function userOf(server: HubServer, folder: string) {
  return {
    HF_ENDPOINT: server.url,
    HF_HOME: join(folder, "hf"),
    XDG_CACHE_HOME: join(folder, "cache"),
    HF_TOKEN: "hf_secret",
  };
}

/** What the step said, without the display of progress and of software Vulkan. */
function remarks({ stderr }: Outcome): string[] {
  return stderr.split("\n").filter((line) => line && !/bundled|^counting|^fetching/.test(line));
}

/** Files that were asked for. */
function fetched({ requests }: HubServer): string[] {
  const paths = requests.filter(({ method }) => method === "GET")
    .map(({ path }) => /\/resolve\/[^/]+\/(.*)$/.exec(path)?.[1] ?? "");
  return [...new Set(paths)].filter(Boolean).sort();
}

Deno.test("count by the names of the hub is count by local folders, and goes on offline", async () => {
  await using server = startHubServer({ repos: await paperRepos(), token: "hf_secret" });
  await withFolder(async (cwd) => {
    const env = userOf(server, cwd);
    const layers = ["--layer", "model.layers.{0,3}.mlp"];
    const named = ["--model", MODEL, "--sae-model", SAES, ...layers];
    const texts = ["--dataset-configs", "facebook/xnli:{en,de}:train:0:1000"];
    const denied = await runScript("count", [...named, ...texts], {
      cwd,
      env: { ...env, HF_TOKEN: "" },
    });
    assert.equal(denied.code, 2, denied.stderr);
    assert.equal(remarks(denied).length, 1);
    assert.match(remarks(denied)[0], /Llama-3\.2-1B.*(accept|access).*HF_TOKEN/);

    const first = await runScript("count", [...named, ...texts], { cwd, env });
    assert.equal(first.code, 0, first.stderr);
    assert.ok(!first.stderr.includes("hf_secret"));
    // The configs of all SAEs are one blob; weights of other hookpoints are left where they are.
    assert.deepEqual(fetched(server), [
      ".gitattributes",
      "config.json",
      "de/train-00000-of-00001.parquet",
      "en/train-00000-of-00001.parquet",
      "generation_config.json",
      "layers.0.mlp/cfg.json",
      "layers.0.mlp/sae.safetensors",
      "layers.3.mlp/sae.safetensors",
      "model.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);

    await Deno.mkdir(join(cwd, "texts"));
    for (const [lang, { premise, hypothesis }] of Object.entries(XNLI)) {
      const lines = premise.map((text, i) => `${text} ${hypothesis[i]}\n`);
      await Deno.writeTextFile(join(cwd, `texts/${lang}.txt`), lines.join(""));
    }
    const local = ["--model", `${DEMO}/model`, "--sae-model", `${DEMO}/sae`, ...layers];
    const second = await runScript(
      "count",
      [...local, "--dataset-configs", "texts:{en,de}", "--out-dir", "local"],
      { cwd },
    );
    assert.equal(second.code, 0, second.stderr);
    for (const lang of ["en", "de"]) {
      const hub = `${cwd}/results/counts/facebook/xnli/${lang}.safetensors`;
      const file = `${cwd}/local/counts/texts/${lang}.safetensors`;
      const counts = decodeCounts(await Deno.readFile(hub), hub);
      assert.equal(counts.examples, 2);
      const local = decodeCounts(await Deno.readFile(file), file);
      assert.ok(equalCounts(unnamed(counts), unnamed(local)), lang);
    }
    const { corpora, model } = JSON.parse(
      await Deno.readTextFile(join(cwd, "results/counts/run.json")),
    );
    assert.equal(model.name, MODEL);
    assert.match(corpora[0].sources[0].commit, /^[0-9a-f]{40}$/);

    const asked = server.requests.length;
    const offline = { ...env, HF_HUB_OFFLINE: "1" };
    const third = await runScript("count", [...named, ...texts], { cwd, env: offline });
    assert.equal(third.code, 0, third.stderr);
    assert.equal(third.stdout.match(/was there/g)?.length, 2);
    const counted = ["--in-path", "counts", "--example-rate", "0", "--out-dir", "results"];
    const fourth = await runScript("identify", counted, { cwd, env: offline });
    assert.equal(fourth.code, 0, fourth.stderr);
    assert.match(fourth.stdout, /English[^]*German|German[^]*English/);
    assert.equal(server.requests.length, asked, "nothing is asked of the hub");
  });
});

/** Counts whose documents do not say what data set they are of. */
function unnamed(counts: Counts): Counts {
  if (!counts.documents) assert.fail("these counts do not tell documents apart");
  const labels = counts.documents.labels.map((label) => label.slice(label.lastIndexOf(":")));
  return { ...counts, documents: { ...counts.documents, labels } };
}

const PLAN = `
title = "a small paper"
[variables]
texts = "facebook/xnli:{en,de}:train:0:1000"
[[step]]
name = "count latents"
run = "count"
tokens = 1
[step.options]
model = "${MODEL}"
sae-model = "${SAES}"
layer = "model.layers.{0..1}.mlp"
dataset-configs = "\${texts}"
[[step]]
name = "features"
run = "identify"
[step.options]
in-path = "counts"
example-rate = 0
[[step]]
name = "yet to come"
run = "levitate"
[step.options]
height = 3
`;

Deno.test("paper lists what steps need, then runs those that there are", async () => {
  await using server = startHubServer({ repos: await paperRepos(), token: "hf_secret" });
  await withFolder(async (cwd) => {
    const env = userOf(server, cwd);
    await Deno.writeTextFile(join(cwd, "plan.toml"), PLAN);
    const list = () => runScript("paper", ["--config", "plan.toml", "--dry-run"], { cwd, env });
    const before = await list();
    assert.equal(before.code, 0, before.stderr);
    const [count] = before.stdout.split("\n").filter((line) => line.startsWith("count latents"));
    // Model of 1.2 M weights and two SAEs of 0.5 M, in 4 and 2 bytes; nothing but configs is there.
    const [, files, toFetch, least, most] =
      (/count +1 +\d+ +(\S+) GB +(\S+) GB +(\S+) GB – (\S+) GB +meta-llama/.exec(count) ??
        assert.fail(before.stdout)).map(Number);
    const sizes = await Promise.all(
      ["model/model.safetensors", "sae/layers.0.mlp/sae.safetensors"].map(async (path) =>
        (await Deno.stat(`${DEMO}/${path}`)).size
      ),
    );
    assert.ok(Math.abs(files - (sizes[0] + 2 * sizes[1]) / 1e9) < 0.01, count);
    assert.ok(Math.abs(toFetch - files) < 0.01 && toFetch > 0);
    assert.ok(0 < least && least <= most);
    assert.match(before.stdout, /levitate †/);
    assert.match(before.stdout, /Not in this version of babelscope, and left out: levitate\./);
    assert.ok(!fetched(server).includes("model.safetensors"));

    const args = ["--config", "plan.toml", "--out-dir", "out"];
    const done = await runScript("paper", args, { cwd, env });
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stderr, /left out: levitate\./);
    assert.ok((await filesUnder(join(cwd, "out"))).includes("lape.json"));
    const { corpora } = JSON.parse(await Deno.readTextFile(join(cwd, "out/counts/run.json")));
    const tokens = corpora.reduce((sum: number, { tokens }: { tokens: number }) => sum + tokens, 0);
    const after = await list();
    assert.match(after.stdout, new RegExp(`count +1 +${tokens} +\\S+ GB +0\\.00 GB`));
  });
});
