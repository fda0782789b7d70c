/** babelscope features: published files and our own, listed and written as tables. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readLapeFile } from "../lib/data/lape_files.ts";
import { readTable } from "../lib/data/tables.ts";
import { filesUnder } from "./support/folders.ts";
import { ROOT, runScript, withFolder } from "./support/run.ts";

const PUBLISHED = join(ROOT, "tests/fixtures/torch/lape_all.pt");
/** What the writer of the published file says that it means. */
const MEANING = JSON.parse(
  await Deno.readTextFile(join(ROOT, "tests/fixtures/torch/lape_result.json")),
);

const features = (...args: string[]) => runScript("features", args);

Deno.test("every language is listed with its count, layers and first features", async () => {
  const { code, stdout, stderr } = await features("--lape-result-path", PUBLISHED, "--top", "1");
  assert.equal(code, 0, stderr);
  const lines = stdout.split("\n");
  const rows = lines.slice(2, 17).map((line) => line.split(/\s{2,}/));
  assert.deepEqual(rows.map(([language]) => language), MEANING.languages);
  assert.deepEqual(
    rows.map(([, count]) => Number(count)),
    MEANING.features.map((list: unknown[]) => list.length),
  );
  assert.deepEqual(rows[0], ["Bulgarian", "4", "0:2 3:2", "L0/0", "0.000", "0.500", "4.000"]);
  assert.deepEqual(rows[2], ["English", "1", "2:1", "L2/131071", "0.200", "0.500", "4.286"]);
  assert.match(stdout, /\n23 features in 15 languages \(29 times in all\)\.\n$/);
});

Deno.test("--lang and --top choose what is listed", async () => {
  const asked = ["--lang", "th", "bul", "--top", "4"];
  const { stdout } = await features("--lape-result-path", PUBLISHED, ...asked);
  const lines = stdout.trimEnd().split("\n");
  assert.equal(lines.length, 2 + 2 * 4 + 2);
  assert.match(lines[2], /^Thai {2,}4/);
  assert.match(lines[6], /^Bulgarian {2,}4/);
  assert.equal(lines.at(-1), "7 features in 2 languages (8 times in all).");
});

Deno.test("a published file becomes tables and a lape.json of ours, all languages in them", () =>
  withFolder(async (folder) => {
    const first = join(folder, "first");
    const { stdout } = await features(
      ...["--lape-result-path", PUBLISHED, "--lang", "th", "--out-dir", first],
    );
    assert.match(stdout, /first has features\.csv, features\.parquet, lape\.json, run\.json\n$/);
    const names = ["features.csv", "features.parquet", "lape.json", "run.json"];
    assert.deepEqual(await filesUnder(first), names);
    assert.deepEqual(
      await readLapeFile(join(first, "lape.json")),
      await readLapeFile(PUBLISHED),
    );
    const table = await readTable(join(first, "features.parquet"));
    const rows = MEANING.languages.flatMap((language: string, g: number) =>
      MEANING.features[g].map((feature: Record<string, number>) => ({ language, ...feature }))
    );
    for (const name of ["language", "layer", "index", "entropy", "probability"]) {
      assert.deepEqual(
        table[name].map((cell) => typeof cell === "bigint" ? Number(cell) : cell),
        rows.map((row: Record<string, unknown>) => row[name]),
        name,
      );
    }
    assert.deepEqual([table.lang[0], table.lang.at(-1)], ["bg", "vi"]);

    // and the lape.json gives the same files again
    const second = join(folder, "second");
    await features("--lape-result-path", join(first, "lape.json"), "--out-dir", second);
    for (const name of names.slice(0, 3)) {
      assert.deepEqual(
        await Deno.readFile(join(second, name)),
        await Deno.readFile(join(first, name)),
        name,
      );
    }
  }));

Deno.test("bad input ends in one sentence and exit code 2", async () => {
  const hostile = join(ROOT, "tests/fixtures/torch/hostile/os_system_2.pt");
  const cases: [string[], RegExp][] = [
    [[], /required option '--lape-result-path <file>' not specified/],
    [["--lape-result-path", "no.pt"], /Cannot read no\.pt: it does not exist/],
    [["--lape-result-path", hostile], /os_system_2\.pt asks for "posix\.system"/],
    [["--lape-result-path", PUBLISHED, "--lang", "sw"], /has no Swahili among its languages/],
    [["--lape-result-path", PUBLISHED, "--lang", "xx1"], /Unknown language "xx1"/],
    [["--lape-result-path", PUBLISHED, "--top", "-1"], /expected a whole number of at least 0/],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await features(...args);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, /^babelscope features: [^\n]*\.\n$/);
    assert.match(stderr, message);
  }
});
