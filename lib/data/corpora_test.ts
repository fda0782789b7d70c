import assert from "node:assert/strict";
import { join } from "node:path";
import defaultTexts from "../../tests/fixtures/oracle/default_texts.json" with { type: "json" };
import { InputError } from "../formats/input_error.ts";
import { loadCorpus } from "./corpora.ts";
import type { CorpusOptions } from "./corpus_files.ts";
import { parseDatasetConfigs } from "./dataset_configs.ts";
import { LANGUAGES } from "./languages.ts";
import { writeTable } from "./tables.ts";

const load = (value: string, options: CorpusOptions = {}) =>
  loadCorpus(parseDatasetConfigs([value])[0], options);

/** Runs a test on a folder with these files. */
async function withFiles(
  files: Record<string, string | Uint8Array>,
  test: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, content] of Object.entries(files)) {
      await Deno.mkdir(join(folder, name, ".."), { recursive: true });
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(join(folder, name), bytes);
    }
    await test(folder);
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

for (const { code } of LANGUAGES) {
  Deno.test(`the built-in udhr is the reference's, text by text: ${code}`, async () => {
    const corpus = await load(`udhr:${code}`);
    const expected = (defaultTexts as Record<string, string[]>)[code];
    assert.deepEqual(corpus.texts, expected);
    assert.deepEqual(corpus.rows, expected.map((_, row) => row));
    assert.equal(corpus.documents[0], 0);
    assert.deepEqual(
      [...new Set(corpus.documents)],
      Array.from({ length: 31 }, (_, article) => article),
      "the preamble and 30 articles, in order",
    );
  });
}

Deno.test("udhr: rows, normal forms, other spellings; no other splits and languages", async () => {
  const some = await load("udhr:vi:train:10:12");
  assert.deepEqual(some.rows, [10, 11]);
  assert.deepEqual(some.texts, defaultTexts.vi.slice(10, 12));
  assert.deepEqual(some.documents, [1, 2]);
  const decomposed = await load("udhr:vie:train:10:12", { normalForm: "nfd" });
  assert.deepEqual(decomposed.texts, some.texts.map((text) => text.normalize("NFD")));
  assert.notDeepEqual(decomposed.texts, some.texts);
  assert.notEqual(decomposed.sha256, some.sha256);
  assert.equal(some.language.name, "Vietnamese");
  await refused(load("udhr:en:dev"), /udhr has no split "dev"/);
  await refused(load("udhr:sw"), /udhr has no texts in Swahili, expected one of en de /);
  await refused(load("udhr:en:train:60:70"), /udhr:en:train:60:70 has no texts.* has 60 rows/);
});

Deno.test("udhr: odd and even articles share no document and make the whole", async () => {
  const [all, odd, even] = await Promise.all(
    ["udhr:de", "udhr:de:odd", "udhr:de:even"].map((spec) => load(spec)),
  );
  assert.deepEqual([...new Set(odd.documents)], Array.from({ length: 15 }, (_, i) => 2 * i + 1));
  assert.deepEqual([...new Set(even.documents)], Array.from({ length: 16 }, (_, i) => 2 * i));
  assert.deepEqual([...odd.texts, ...even.texts].sort(), [...all.texts].sort());
  const part = await load("udhr:de:odd:2:5");
  assert.deepEqual(part.texts, odd.texts.slice(2, 5));
  assert.deepEqual(part.documents, odd.documents.slice(2, 5));
});

Deno.test("udhr is found from any folder and without the network", async () => {
  const corpora = new URL("./corpora.ts", import.meta.url).href;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const code = `import { loadCorpus } from ${JSON.stringify(corpora)};
    const spec = { name: "udhr", lang: "en", start: 0, end: 1 };
    console.log((await loadCorpus(spec)).texts[0].slice(0, 7));`;
  const script = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(script, code);
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-q",
      "--cached-only",
      "--no-prompt",
      `--config=${config}`,
      "--allow-read",
      script,
    ],
    cwd: "/",
    stderr: "inherit",
  }).output();
  await Deno.remove(script);
  assert.equal(new TextDecoder().decode(stdout), "Whereas\n");
});

Deno.test("a folder's texts are the same in every format, and blank rows keep their number", async () => {
  const texts = ['a, "b"', "", "  ", " c ", "Đà\u0323", "x\u0085y\u2028z"];
  const column = texts.map((text) => text || null);
  await withFiles({
    "txt/en.txt": texts.join("\n") + "\n",
    "crlf/en.txt": "\ufeff" + texts.join("\r\n"),
    "jsonl/en.jsonl": texts.map((text) => JSON.stringify({ id: 1, text })).join("\n"),
  }, async (folder) => {
    await writeTable(join(folder, "table/en"), { id: texts.map((_, i) => i), text: column });
    for (const kind of ["csv", "parquet"]) {
      await Deno.mkdir(join(folder, kind));
      await Deno.copyFile(join(folder, `table/en.${kind}`), join(folder, kind, `en.${kind}`));
    }
    const corpora = await Promise.all(
      ["txt", "crlf", "jsonl", "csv", "parquet"].map((kind) => load(`${join(folder, kind)}:en`)),
    );
    for (const corpus of corpora) {
      assert.deepEqual(corpus.texts, [texts[0], texts[3], texts[4], texts[5]]);
      assert.deepEqual(corpus.rows, [0, 3, 4, 5]);
      assert.deepEqual(corpus.documents, [0, 3, 4, 5]);
      assert.equal(corpus.sha256, corpora[0].sha256);
    }
    await refused(
      load(`${join(folder, "table")}:en`),
      /has en.parquet and en.csv for one language/,
    );
  });
});

Deno.test("rows are half open, clipped, and --compat paper drops the last of an open range", () =>
  withFiles({ "en.txt": "0\n1\n2\n3\n4\n" }, async (folder) => {
    const rows = async (range: string, options: CorpusOptions = {}) =>
      (await load(`${folder}:en${range}`, options)).texts.join("");
    assert.equal(await rows(""), "01234");
    assert.equal(await rows(":train:1:3"), "12");
    assert.equal(await rows(":train:3:99"), "34");
    assert.equal(await rows(":train:3"), "34");
    assert.equal(await rows("", { compat: "paper" }), "0123");
    assert.equal(await rows(":train:3:inf", { compat: "paper" }), "3");
    assert.equal(await rows(":train:3:99", { compat: "paper" }), "34");
    await refused(load(`${folder}:en:train:4:inf`, { compat: "paper" }), /has no texts/);
    await refused(load(`${folder}:en:train:5:9`), /has no texts, .* the corpus has 5 rows/);
  }));

Deno.test("a split is a folder; train may also be the corpus folder itself", () =>
  withFiles(
    { "en.txt": "top", "dev/en.txt": "dev", "other/train/en.txt": "train" },
    async (folder) => {
      const text = async (value: string) => (await load(join(folder, value))).texts[0];
      assert.equal(await text(":en"), "top");
      assert.equal(await text(":en:train"), "top");
      assert.equal(await text(":en:dev"), "dev");
      assert.equal(await text("other:en:train"), "train");
      assert.equal(await text("other:en"), "train");
      await refused(
        text(":en:test"),
        /no rows for en in the split "test", found dev\/en, en, other\/train\/en;/,
      );
      await refused(text("other:de"), /no rows for de in the split "train", found train\/en;/);
    },
  ));

Deno.test("the hash changes with a text and with its row", () =>
  withFiles({ "a/en.txt": "x\ny", "b/en.txt": "x\nz", "c/en.txt": "x\n\ny" }, async (folder) => {
    const hashes = await Promise.all(
      ["a", "b", "c"].map((name) => load(join(folder, name) + ":en")),
    );
    assert.equal(new Set(hashes.map(({ sha256 }) => sha256)).size, 3);
    assert.match(hashes[0].sha256, /^[0-9a-f]{64}$/);
  }));

Deno.test("a long line and lines over block borders are read whole", () => {
  const texts = Array.from({ length: 3000 }, (_, i) => `${i} ` + "語".repeat(i % 200));
  texts.push("é".repeat(1 << 19));
  return withFiles({ "ja.txt": texts.join("\n") }, async (folder) => {
    assert.deepEqual((await load(`${folder}:ja`)).texts, texts);
  });
});

Deno.test("only a byte order mark before the first line is not text", () =>
  withFiles({ "en.txt": "\ufeff\ufeffa\n\ufeffb" }, async (folder) => {
    assert.deepEqual((await load(`${folder}:en`)).texts, ["\ufeffa", "\ufeffb"]);
  }));

Deno.test("another language's file works, with its English name", () =>
  withFiles({ "sw.txt": "Watu wote" }, async (folder) => {
    assert.equal((await load(`${folder}:sw`)).language.name, "Swahili");
  }));

Deno.test("--text-column names the column of jsonl, csv and parquet", () =>
  withFiles({
    "en.jsonl": `{"sentence":"a"}\n{"sentence":"b"}`,
    "de.csv": "id,sentence\n1,c\n2,d\n",
  }, async (folder) => {
    const options = { textColumn: "sentence" };
    assert.deepEqual((await load(`${folder}:en`, options)).texts, ["a", "b"]);
    assert.deepEqual((await load(`${folder}:de`, options)).texts, ["c", "d"]);
    await refused(load(`${folder}:en`), /en.jsonl line 1 has no "text" but sentence;/);
    await refused(load(`${folder}:de`), /de.csv has no column "text" but id, sentence;/);
  }));

Deno.test("files that cannot be read are named, with the line", () =>
  withFiles({
    "en.txt": "\n\n  \n",
    "de.txt": Uint8Array.of(0x61, 0x0a, 0x62, 0xc3, 0xa9, 0xff, 0x0a),
    "fr.txt": Uint8Array.of(0x61, 0x0a, 0xe8, 0xaa),
    "it.csv": Uint8Array.of(...new TextEncoder().encode("text\nx\n"), 0xff, 0x0a),
    "es.jsonl": `{"text":"a"}\n\n{"text":`,
    "pt.jsonl": `{"text":"a"}\n{"text":5}`,
    "ru.jsonl": `{"text":"a"}\n["text"]`,
    "bg.csv": "text\na,b,c\n",
    "tr.parquet": "PAR1 is not enough",
    "vi.txt": "",
    "ko.jsonl": `{"text":null}`,
    "ja.jsonl": `{"__proto__":{"text":"x"}}`,
  }, async (folder) => {
    const at = (lang: string) => load(`${folder}:${lang}`);
    await refused(at("en"), /has no texts, .* has 3 rows/);
    await refused(at("vi"), /has no texts, .* has 0 rows/);
    await refused(at("ko"), /has no texts, .* has 1 row /);
    await refused(at("de"), /de\.txt line 2, byte 4, is not UTF-8; convert it to UTF-8\.$/);
    await refused(at("fr"), /fr\.txt line 2, byte 2, is not UTF-8/);
    await refused(at("it"), /it\.csv line 3, byte 1, is not UTF-8/);
    await refused(at("es"), /es\.jsonl line 3 is not JSON/);
    await refused(at("pt"), /pt\.jsonl line 2 has a number for "text", expected text/);
    await refused(at("ru"), /ru\.jsonl line 2 is not a JSON object/);
    await refused(at("ja"), /ja\.jsonl line 1 has no "text" but __proto__/);
    await refused(at("bg"), /bg\.csv is not a readable table \(/);
    await refused(at("tr"), /tr\.parquet is not a readable Parquet file \(/);
    await refused(
      at("hi"),
      /no rows for hi in the split "train", found bg, de, en, es, fr, it/,
    );
    await refused(
      load(`${folder}/none:en`),
      /There is no corpus ".*none", expected udhr, a folder/,
    );
    await refused(load("own/er/name:en"), /There is no corpus "own\/er\/name", .* on the hub;/);
  }));
