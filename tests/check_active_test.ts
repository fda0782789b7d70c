/** babelscope check-active as a whole, against the oracle's SAE entries. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readJson, readText, writeAtomic } from "../lib/data/files.ts";
import { readLapeFile } from "../lib/data/lape_files.ts";
import { loadTokenizer } from "../lib/formats/tokenizer.ts";
import { wholePiece } from "../lib/interpret/samples.ts";
import forward from "./fixtures/oracle/forward.json" with { type: "json" };
import { writeOracleLape } from "./support/oracle_lape.ts";
import { ROOT, runScript, withFolder } from "./support/run.ts";
import { Fixture } from "./support/tensors.ts";

/** What check-active writes of one text. */
interface Checked {
  readonly sentences: string;
  readonly predictions: string;
  readonly features: Record<
    string,
    Record<string, Record<string, { readonly interpretation: string; readonly tokens: string[] }>>
  >;
}

const HOOKPOINTS = [0, 5].map((layer) => `layers.${layer}.mlp`);
/** Thai has characters that are split over tokens. */
const TEXTS = forward.filter(({ lang }) => ["en", "th"].includes(lang));

async function check(folder: string, ...args: string[]) {
  const all = ["--out-dir", folder, "--layer", "layers.{0,5}.mlp", ...args];
  const outcome = await runScript("check-active", all);
  assert.equal(outcome.code, 0, outcome.stderr);
  const path = join(folder, "active_features/result.json");
  return { ...outcome, result: await readJson(path) as Checked[], json: await readText(path) };
}

/** Tokens that each feature of each language fires on in a text, by the oracle's entries. */
async function expectedTokens(folder: string, text: typeof TEXTS[number]) {
  using oracle = await Fixture.open("tests/fixtures/oracle/forward.safetensors");
  const { languages, features } = await readLapeFile(join(folder, "lape.json"));
  const found: Record<string, Record<string, Record<string, number[]>>> = {};
  for (const [i, layer] of [0, 5].entries()) {
    const where = `${text.lang}.${text.row}.${HOOKPOINTS[i]}`.replace(".mlp", "");
    const indices = await oracle.integers(`${where}.top_indices`);
    const values = await oracle.floats(`${where}.top_acts`);
    const k = indices.length / text.ids.length;
    for (const [g, language] of languages.entries()) {
      for (const { layer: at, index } of features[g]) {
        if (at !== layer) continue;
        const tokens = text.ids.map((_, token) => token).filter((token) =>
          indices.slice(token * k, (token + 1) * k)
            .some((latent, slot) => latent === index && values[token * k + slot] > 0)
        );
        if (tokens.length > 0) ((found[HOOKPOINTS[i]] ??= {})[language] ??= {})[index] = tokens;
      }
    }
  }
  return found;
}

async function demoTokenizer() {
  const path = join(ROOT, "assets/demo/model/tokenizer.json");
  return loadTokenizer(await readText(path), undefined, path);
}

Deno.test("features, languages and tokens are those of the oracle's entries", () =>
  withFolder(async (folder) => {
    await writeOracleLape(folder);
    const explanations = join(folder, "explanations");
    const named = await expectedTokens(folder, TEXTS[0]);
    const explained = Object.keys(named[HOOKPOINTS[0]].English)[0];
    await writeAtomic(join(explanations, `${HOOKPOINTS[0]}_latent${explained}.txt`), '"é"\n');
    const texts = ["--text", ...TEXTS.map(({ text }) => text), ""];
    const options = ["--classifier-type", "count", "--interpretation-folder", explanations];
    const { result, json, stdout } = await check(folder, ...texts, ...options);

    const tokenizer = await demoTokenizer();
    assert.deepEqual(result.map(({ predictions }) => predictions).slice(0, 2), ["English", "Thai"]);
    for (const [i, text] of TEXTS.entries()) {
      const pieces = tokenizer.decodePieces(text.ids);
      const expected = await expectedTokens(folder, text);
      assert.equal(result[i].sentences, text.text);
      assert.deepEqual(Object.keys(result[i].features), HOOKPOINTS);
      for (const [name, languages] of Object.entries(result[i].features)) {
        assert.deepEqual(Object.keys(languages), Object.keys(expected[name]), "sorted languages");
        for (const [language, features] of Object.entries(languages)) {
          const tokens = Object.entries(features).map(([index, { tokens }]) => [index, tokens]);
          const reference = Object.entries(expected[name][language]).map(([index, positions]) =>
            [index, positions.map((at) => wholePiece(pieces, at))] as const
          );
          assert.deepEqual(tokens, reference, `${text.lang} ${name} ${language}`);
        }
      }
    }
    const english = result[0].features[HOOKPOINTS[0]].English;
    assert.equal(english[explained].interpretation, '"é"\n', "the file as it is");
    assert.ok(
      Object.values(english).filter(({ interpretation }) => interpretation === "").length > 0,
    );
    assert.match(json, /^\[\n {4}\{\n {8}"sentences"/);
    assert.match(json, /\\u00e9/);
    // deno-lint-ignore no-control-regex -- the point is that nothing else is there
    assert.match(json, /^[\x00-\x7e]*$/);
    assert.equal(result[2].sentences, "", "a text of BOS alone");
    assert.match(stdout, /→ English \(English \d/);
    assert.match(stdout, /^English +L[05]\/\d+ +\d+ +\d+\.\d\d +.*\[.+ \d+\.\d\d\]/m);
  }));

Deno.test("--compat paper gives a layer's features of one language the same tokens", () =>
  withFolder(async (folder) => {
    await writeOracleLape(folder);
    const thai = TEXTS.find(({ lang }) => lang === "th")!;
    const args = ["--text", thai.text, "--compat", "paper", "--classifier-type", "fasttext"];
    const [{ features, predictions }] = (await check(folder, ...args)).result;
    assert.equal(predictions, "Thai");
    const tokenizer = await demoTokenizer();
    const expected = await expectedTokens(folder, thai);
    for (const name of HOOKPOINTS) {
      const positions = new Set(Object.values(expected[name].Thai).flat());
      const shared = [...positions].sort((a, b) => a - b).map((at) =>
        tokenizer.decode([thai.ids[at]])
      );
      for (const { tokens } of Object.values(features[name].Thai)) assert.deepEqual(tokens, shared);
    }
  }));
