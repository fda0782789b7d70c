import assert from "node:assert/strict";
import { join } from "node:path";
import { type HubRepo, startHubServer } from "../../tests/support/hub_server.ts";
import { InputError } from "../formats/input_error.ts";
import { loadCorpus } from "./corpora.ts";
import type { CorpusOptions } from "./corpus_files.ts";
import { parseDatasetConfigs } from "./dataset_configs.ts";
import { Hub } from "./hub/hub.ts";
import { writeTable } from "./tables.ts";

const FIXTURES = new URL("../../tests/fixtures/datasets/", import.meta.url);
const labels = await Deno.readFile(new URL("labels.parquet", FIXTURES));
const SENTENCES = Array.from(
  { length: 60 },
  (_, i) => ({ text: `sentence ${i}`, label: i * i % 7 % 4 }),
);

/** Bytes of a Parquet table. */
async function parquet(columns: Record<string, (string | number | null)[]>) {
  const folder = await Deno.makeTempDir();
  await writeTable(join(folder, "t"), columns);
  const bytes = await Deno.readFile(join(folder, "t.parquet"));
  await Deno.remove(folder, { recursive: true });
  return bytes;
}

const xnli = {
  en: { premise: ["A b.", "C", null, "E"], hypothesis: ["x", " y", "z", "w"], label: [0, 1, 2, 0] },
  de: { premise: ["Ä", "Ö"], hypothesis: ["ü", "ß"], label: [0, 1] },
};
const paws = { id: [1, 2], sentence1: ["one", "two"], sentence2: ["1", "2"], label: [0, 1] };

const REPOS: HubRepo[] = [
  {
    kind: "dataset",
    id: "facebook/xnli",
    files: {
      "README.md": "---\nconfigs:\n- config_name: en\n  data_files:\n  - split: train\n" +
        "    path: en/train-*\n- config_name: de\n  data_files:\n  - split: train\n" +
        "    path: de/train-*\n---\n",
      "en/train-00000-of-00001.parquet": await parquet(xnli.en),
      "de/train-00000-of-00001.parquet": await parquet(xnli.de),
    },
  },
  {
    kind: "dataset",
    id: "google-research-datasets/paws-x",
    files: { ".gitattributes": "", "ja/train-00000-of-00001.parquet": await parquet(paws) },
  },
  {
    kind: "dataset",
    id: "openlanguagedata/flores_plus",
    files: {
      ".gitattributes": "",
      "dev/cmn_Hans.parquet": await parquet({ id: [0, 1], text: ["一", "二"] }),
      "dev/eng_Latn.jsonl": `{"id":0,"text":"one"}\n{"id":1,"text":"two"}\n`,
      "devtest/cmn_Hans.parquet": await parquet({ id: [0], text: ["三"] }),
    },
  },
  {
    kind: "dataset",
    id: "MartinThoma/wili_2018",
    files: { "README.md": "# WiLI", "wili_2018.py": "raise" },
  },
  {
    kind: "dataset",
    id: "own/texts",
    files: {
      ".gitattributes": "",
      "data/train.csv": "id,body\n1,one\n2,two\n",
      "data/test.txt": "three\nfour\n",
    },
    revisions: ["main", "v1"],
  },
];
/** The branch that the hub itself makes of what only a program could load. */
const CONVERTED: HubRepo = {
  kind: "dataset",
  id: "MartinThoma/wili_2018",
  files: { "WiLI-2018 dataset/test/0000.parquet": labels },
  revisions: ["refs/convert/parquet"],
};

interface Fixture {
  load(value: string, options?: CorpusOptions): ReturnType<typeof loadCorpus>;
  /** Paths of the requests since the last call. */
  requests(): string[];
  readonly folder: string;
  readonly url: string;
}

async function withHub(repos: HubRepo[], test: (fixture: Fixture) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  await using server = startHubServer({ repos });
  const options = { endpoint: server.url, cache: join(folder, "hub"), offline: false };
  let seen = 0;
  try {
    await test({
      load: (value, more = {}) =>
        loadCorpus(parseDatasetConfigs([value])[0], {
          hub: () => new Hub(options),
          rowsCache: join(folder, "rows"),
          ...more,
        }),
      requests() {
        const since = server.requests.slice(seen).map(({ method, path }) => `${method} ${path}`);
        seen = server.requests.length;
        return since;
      },
      folder,
      url: server.url,
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function refused(work: Promise<unknown>, why: RegExp): Promise<void> {
  await assert.rejects(work, (error: Error) => {
    assert.ok(error instanceof InputError, String(error.stack));
    assert.match(error.message, why);
    assert.match(error.message, /^[^\n]+\.$/);
    return true;
  });
}

Deno.test("xnli: premise and hypothesis, by any code of the language", () =>
  withHub(REPOS, async ({ load }) => {
    for (const code of ["en", "eng", "eng_Latn"]) {
      const corpus = await load(`facebook/xnli:${code}:train:0:1000`);
      assert.deepEqual(corpus.texts, ["A b. x", "C  y", "E w"]);
      assert.deepEqual(corpus.rows, [0, 1, 3]);
      assert.deepEqual(corpus.documents, [0, 1, 3]);
      assert.equal(corpus.language.name, "English");
      assert.match(corpus.source.commit!, /^[0-9a-f]{40}$/);
      assert.equal(
        (corpus.source.files[0] as { path: string }).path,
        "en/train-00000-of-00001.parquet",
      );
    }
    assert.deepEqual((await load("facebook/xnli:en:train:1:3")).texts, ["C  y"]);
    assert.deepEqual((await load("facebook/xnli:de")).texts, ["Ä ü", "Ö ß"]);
    assert.deepEqual((await load("facebook/xnli:de", { textColumn: "premise" })).texts, ["Ä", "Ö"]);
    const template = { promptTemplate: "{hypothesis}|{premise}" };
    assert.deepEqual((await load("facebook/xnli:de", template)).texts, ["ü|Ä", "ß|Ö"]);
    await refused(
      load("facebook/xnli:sw"),
      /The data set facebook\/xnli has no rows for sw in the split "train", found en:train, de:train;/,
    );
    await refused(
      load("facebook/xnli:en", { textColumn: "text" }),
      /no column "text" but premise, /,
    );
    const both = { textColumn: "premise", promptTemplate: "{premise}" };
    await refused(
      load("facebook/xnli:en", both),
      /Both --text-column premise and --prompt-template/,
    );
    // the published program leaves out the last row of an open range
    const open = await load("facebook/xnli:de", { compat: "paper" });
    assert.deepEqual(open.texts, ["Ä ü"]);
  }));

Deno.test("paws-x and flores_plus: their columns, codes and splits", () =>
  withHub(REPOS, async ({ load }) => {
    const paws = await load("google-research-datasets/paws-x:jpn:train:0:1000");
    assert.deepEqual(paws.texts, ["one", "two"]);
    assert.deepEqual((await load("openlanguagedata/flores_plus:zh:dev:0:1000")).texts, [
      "一",
      "二",
    ]);
    assert.deepEqual((await load("openlanguagedata/flores_plus:cmn_Hans:devtest")).texts, ["三"]);
    assert.deepEqual((await load("openlanguagedata/flores_plus:en:dev:1:2")).texts, ["two"]);
    await refused(
      load("openlanguagedata/flores_plus:cmn_Hans"),
      /no rows for cmn_Hans in the split "train", found dev\/cmn_Hans, dev\/eng_Latn, devtest\/cmn/,
    );
    await refused(load("openlanguagedata/flores_plus:cmn_Hant:dev"), /no rows for cmn_Hant/);
  }));

Deno.test("wili_2018: the label filter, then the range, from the hub's own conversion", async () => {
  // one repository, two branches
  await withHub([CONVERTED, ...REPOS].filter(({ id }) => id.startsWith("Martin")), async (hub) => {
    const local = join(hub.folder, "wili_2018");
    await Deno.mkdir(join(local, "data"), { recursive: true });
    await Deno.writeFile(join(local, "data/test-00000-of-00001.parquet"), labels);
    for (const name of ["MartinThoma/wili_2018", local]) {
      const load = (range: string, options: CorpusOptions = {}) =>
        hub.load(`${name}:${range}`, options);
      const english = SENTENCES.filter(({ label }) => label === 1).map(({ text }) => text);
      assert.deepEqual((await load("eng:test")).texts, english);
      assert.deepEqual((await load("en:test")).texts, english);
      const some = await load("eng:test:2:5");
      assert.deepEqual(some.texts, english.slice(2, 5));
      assert.deepEqual(some.rows, [2, 3, 4]);
      assert.deepEqual((await load("eng:test:2:999")).texts, english.slice(2));
      await refused(load("zh-yue:test"), /has no texts, .* has 0 rows there/);
      // quirks of the published program
      const compat = "paper";
      const all = english.length;
      assert.deepEqual((await load(`eng:test:0:${all}`, { compat })).texts, english);
      await refused(load("eng:test", { compat }), /has no texts/);
      await refused(
        load(`eng:test:0:${all + 1}`, { compat }),
        new RegExp(`ends after row ${all} of its label`),
      );
    }
  });
});

Deno.test("other data sets: a column, a template, CSV, text, a pinned revision", () =>
  withHub(REPOS, async ({ load, folder }) => {
    assert.deepEqual((await load("own/texts:en", { textColumn: "body" })).texts, ["one", "two"]);
    assert.deepEqual((await load("own/texts@v1:sw:test")).texts, ["three", "four"]);
    const template = { promptTemplate: "{id}: {body}" };
    assert.deepEqual((await load("own/texts:default=fr:train:1:2", template)).texts, ["2: two"]);
    await refused(
      load("own/texts:en"),
      /own\/texts\/data\/train\.csv has no column "text" but id, body;/,
    );
    await refused(load("own/none:en"), /own\/none/);
    await refused(load("own/texts:en", { hub: undefined }), /There is no corpus "own\/texts"/);
    const file = join(folder, "x.jsonl");
    await Deno.writeTextFile(file, `{"t":"a"}\n{"t":"b"}\n`);
    assert.deepEqual((await load(`${file}:en:train:1:2`, { textColumn: "t" })).texts, ["b"]);
    await refused(load(`${file}:en:dev`), /is a file and has no split "dev"/);
  }));

Deno.test("a second run needs no network but for the revision, and none at all offline", () =>
  withHub(REPOS, async ({ load, requests, folder, url }) => {
    const value = "facebook/xnli:en:train:0:2";
    const first = await load(value);
    assert.ok(requests().some((request) => request.includes("/resolve/")));
    const second = await load(value);
    assert.deepEqual(second, first);
    assert.deepEqual(requests().filter((request) => request.includes("/resolve/")), []);
    const offline = { endpoint: url, cache: join(folder, "hub"), offline: true };
    const hub = () => new Hub(offline);
    assert.deepEqual(await load(value, { hub }), first);
    assert.deepEqual(requests(), []);
    await refused(load("facebook/xnli:de", { hub }), /./);
    await refused(load("facebook/xnli:en:train:0:3", { hub }), /./);
    await refused(load("own/texts:en", { hub }), /HF_HUB_OFFLINE is set/);
  }));

Deno.test("texts that were kept but are damaged are taken again", () =>
  withHub(REPOS, async ({ load, folder }) => {
    const first = await load("facebook/xnli:en:train:0:2");
    for await (const { name } of Deno.readDir(join(folder, "rows"))) {
      await Deno.writeTextFile(join(folder, "rows", name), "{");
    }
    assert.deepEqual(await load("facebook/xnli:en:train:0:2"), first);
  }));

Deno.test("of a large table only the ranges that are needed are requested", async () => {
  const noise = Array.from({ length: 60_000 }, (_, i) => `${Math.sin(i)} ${Math.cos(i)}`);
  const bytes = await parquet({ text: noise, other: noise.map((text) => text + "x") });
  assert.ok(bytes.length > 3_000_000);
  const repo = { kind: "dataset", id: "own/large", files: { "train.parquet": bytes } } as const;
  const folder = await Deno.makeTempDir();
  await using server = startHubServer({ repos: [repo] });
  const hub = () => new Hub({ endpoint: server.url, cache: folder, offline: false });
  const spec = parseDatasetConfigs(["own/large:en:train:0:100"])[0];
  const { texts } = await loadCorpus(spec, { hub });
  assert.deepEqual(texts, noise.slice(0, 100));
  const requested = server.requests.filter(({ host }) => host === "cdn").reduce(
    (sum, { range }) => {
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? assert.fail("a whole file");
      return sum + Number(to) - Number(from) + 1;
    },
    0,
  );
  assert.ok(requested > 0 && requested < bytes.length / 2, `${requested} of ${bytes.length} bytes`);
  await Deno.remove(folder, { recursive: true });
});
