import assert from "node:assert/strict";
import { CommanderError } from "commander";
import { InputError } from "../formats/input_error.ts";
import { parseOptions, step } from "./step.ts";
import { each, integer, number, oneOf } from "./values.ts";

/** A step with every kind of option. */
function sample() {
  return step("sample", "Sample.", "babelscope sample --lang en de")
    .option("--lang <code...>", "languages", ["en"])
    .option("--top-k <n>", "latents kept", integer({ min: 1 }), 32)
    .option("--ratio <p>", "ratio", number({ min: 0, max: 1 }), 0.5)
    .option("--layers <n...>", "layers", each(integer({ min: 0 })), [0, 1])
    .option("--format <name>", "format", oneOf("csv", "parquet"), "csv")
    .option("--out-dir <folder>", "output", "results")
    .option("--lang-shared", "keep shared features")
    .option("--no-lang-specific", "keep features of several languages");
}

const parse = (...args: string[]) => parseOptions(sample(), args);

async function refuses(args: string[], message: string | RegExp): Promise<void> {
  await assert.rejects(parse(...args), (error: unknown) => {
    assert.ok(error instanceof InputError, String(error));
    if (typeof message === "string") assert.equal(error.message, message);
    else assert.match(error.message, message);
    return true;
  });
}

async function withConfig(toml: string, body: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".toml" });
  try {
    await Deno.writeTextFile(path, toml);
    await body(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("nothing said gives the defaults", async () => {
  assert.deepEqual(await parse(), {
    lang: ["en"],
    topK: 32,
    ratio: 0.5,
    layers: [0, 1],
    format: "csv",
    outDir: "results",
    langSpecific: true,
  });
});

Deno.test("options are accepted with dashes and with underscores", async () => {
  for (const args of [["--out-dir", "a_b"], ["--out_dir", "a_b"], ["--out_dir=a_b"]]) {
    assert.equal((await parse(...args)).outDir, "a_b");
  }
});

Deno.test("an option may take several values, which replace its default", async () => {
  const options = await parse("--lang", "de", "fr", "--layers", "3", "4", "--top_k", "8");
  assert.deepEqual(options.lang, ["de", "fr"]);
  assert.deepEqual(options.layers, [3, 4]);
  assert.equal(options.topK, 8);
});

Deno.test("flags can be set and unset in every spelling", async () => {
  const on = ["--lang-shared", "--lang_shared", "--lang-shared=True", "--lang_shared=true"];
  for (const arg of on) assert.equal((await parse(arg)).langShared, true, arg);
  assert.equal((await parse("--lang-shared", "True", "--ratio", "1")).langShared, true);
  assert.equal((await parse("--lang-shared", "False")).langShared, false);
  assert.equal((await parse("--no-lang-shared")).langShared, false);

  const off = ["--no-lang-specific", "--no_lang_specific", "--lang_specific=False"];
  for (const arg of off) assert.equal((await parse(arg)).langSpecific, false, arg);
  assert.equal((await parse("--lang-specific", "false")).langSpecific, false);
  assert.equal((await parse("--lang-specific")).langSpecific, true);
  await refuses(["--lang-shared=maybe"], '--lang-shared: expected True or False, got "maybe".');
});

Deno.test("the last of several settings wins", async () => {
  assert.equal((await parse("--lang-shared", "--lang-shared=False")).langShared, false);
  assert.equal((await parse("--top-k", "1", "--top_k", "2")).topK, 2);
});

Deno.test("wrong usage is one sentence that names the option", async () => {
  await refuses(["--lnag", "de"], "unknown option '--lnag'; did you mean --lang?");
  await refuses(["--frobnicate"], `unknown option '--frobnicate'; see "babelscope sample --help".`);
  await refuses(["--top-k", "many"], '--top-k: expected a whole number of at least 1, got "many".');
  await refuses(["--top_k=0"], '--top-k: expected a whole number of at least 1, got "0".');
  await refuses(
    ["--layers", "1", "x"],
    '--layers: expected a whole number of at least 0, got "x".',
  );
  await refuses(
    ["--format", "cvs"],
    '--format: expected csv, parquet, got "cvs"; did you mean "csv"?',
  );
  await refuses(
    ["--out-dir"],
    `option '--out-dir <folder>' argument missing; see "babelscope sample --help".`,
  );
  await refuses(["stray"], /^too many arguments.*stray; see "babelscope sample --help"\.$/);
});

Deno.test("a TOML file sets options under either spelling", async () => {
  const toml = `lang = ["de", "fr"]\ntop_k = 8\nratio = 0.25\nlayers = [2, 5]\nout-dir = "there"
lang_shared = true\nlang_specific = false\n`;
  await withConfig(toml, async (path) => {
    assert.deepEqual(await parse("--config", path), {
      config: path,
      lang: ["de", "fr"],
      topK: 8,
      ratio: 0.25,
      layers: [2, 5],
      format: "csv",
      outDir: "there",
      langShared: true,
      langSpecific: false,
    });
  });
});

Deno.test("options on the command line win over the file", async () => {
  const toml = `lang = ["de", "fr"]\ntop_k = 8\nlang_shared = true\nlang_specific = false\n`;
  await withConfig(toml, async (path) => {
    const options = await parse("--lang_shared=False", "--lang", "th", `--config=${path}`);
    assert.deepEqual(options.lang, ["th"]);
    assert.equal(options.topK, 8);
    assert.equal(options.langShared, false);
    assert.equal(options.langSpecific, false);
    assert.equal((await parse("--lang-specific", "--config", path)).langSpecific, true);
  });
});

Deno.test("what a file gets wrong is said with its name", async () => {
  const wrong: Record<string, (path: string) => string> = {
    "tpo_k = 8": (path) => `${path}: unknown option "tpo_k"; did you mean "top-k"?`,
    "config = 'x'": (path) => `${path}: unknown option "config".`,
    "top_k = 'many'": (path) =>
      `--top-k (in ${path}): expected a whole number of at least 1, got "many".`,
    "top_k = [1, 2]": (path) => `${path}: top_k: expected one value, got an array of 2.`,
    "top_k = true": (path) => `${path}: top_k: expected text or a number, got true.`,
    "lang_shared = 'yes'": (path) => `${path}: lang_shared: expected true or false.`,
    "[lang]\nx = 1": (path) => `${path}: lang: expected text or a number, got a table.`,
    "lang = [[1]]": (path) =>
      `${path}: lang: expected text or a number, got an array within an array.`,
  };
  for (const [toml, message] of Object.entries(wrong)) {
    await withConfig(toml, (path) => refuses(["--config", path], message(path)));
  }
});

Deno.test("a file that is missing or no TOML is one sentence", async () => {
  await refuses(
    ["--config", "nowhere.toml"],
    "--config nowhere.toml: there is no such file; expected a TOML file of options.",
  );
  await withConfig("ratio = 0.5\ntop_k = = 3\n", async (path) => {
    await refuses(
      ["--config", path],
      new RegExp(`^${path}, line 2, column \\d+: not TOML \\(.*\\)\\.$`),
    );
  });
});

Deno.test("help shows defaults and an example, and hides the opposites of flags", async () => {
  const command = sample();
  let help = "";
  command.configureOutput({ writeOut: (text) => help += text });
  await assert.rejects(
    parseOptions(command, ["--help"]),
    (error: unknown) => error instanceof CommanderError && error.exitCode === 0,
  );
  assert.match(help, /--top-k <n> .*\(default: 32\)/);
  assert.match(help, /--lang <code\.\.\.> .*\(default: \["en"\]\)/);
  assert.match(help, /Example:\n {2}babelscope sample --lang en de/);
  assert.match(help, /--no-lang-specific/);
  assert.doesNotMatch(help, /--no-lang-shared|--lang-specific /);
});
