/** Rows against those of sparsify's chunk_and_tokenize, made by transformers. */
import assert from "node:assert/strict";
import cases from "../../tests/fixtures/train_data/packed.json" with { type: "json" };
import { refuses } from "../../tests/support/refusals.ts";
import { loadTokenizer, type Tokenizer } from "../formats/tokenizer.ts";
import { documentTokens, separatorOf } from "./document_tokens.ts";
import { RowPacker, rowsWithoutLast } from "./packer.ts";
import { rowForm } from "./row_form.ts";

const ASSETS = new URL("../../assets/demo/model/", import.meta.url);
const FIXTURES = new URL("../../tests/fixtures/train_data/", import.meta.url);
const TOKENIZER = await Deno.readTextFile(new URL("tokenizer.json", ASSETS));
const CONFIG = await Deno.readTextFile(new URL("tokenizer_config.json", ASSETS));
const DOCUMENTS = (await Deno.readTextFile(new URL("documents.jsonl", FIXTURES))).trimEnd()
  .split("\n").map((line): string => JSON.parse(line).text);
const EOS = 8191;

const demo = (config: object = {}) =>
  loadTokenizer(TOKENIZER, JSON.stringify({ ...JSON.parse(CONFIG), ...config }), "tokenizer.json");

const inBatches = <T>(list: readonly T[], size: number) =>
  Array.from(
    { length: Math.ceil(list.length / size) },
    (_, i) => list.slice(i * size, (i + 1) * size),
  );

for (const { length, batch, batches } of cases) {
  Deno.test(`rows of ${length} tokens, ${batch} documents at a time: those of transformers`, () => {
    const tokenizer = demo();
    const form = rowForm(tokenizer, length);
    const tokens = documentTokens(tokenizer, form);
    for (const [i, documents] of inBatches(DOCUMENTS, batch).entries()) {
      const rows = rowsWithoutLast(tokens(documents), form);
      assert.deepEqual(inBatches([...rows], form.contextLength), batches[i].slice(0, -1), `${i}`);
    }
  });

  Deno.test(`rows of ${length} tokens, ${batch} documents at a time: no token is lost`, () => {
    const tokenizer = demo();
    const form = rowForm(tokenizer, length);
    const tokens = documentTokens(tokenizer, form);
    const packer = new RowPacker(form);
    const rows = inBatches(DOCUMENTS, batch).flatMap((part) => [...packer.pack(tokens(part))]);
    const text = inBatches(rows, form.contextLength).flatMap((row) => {
      assert.equal(row[0], tokenizer.bosId);
      return row.slice(1);
    });
    const whole = batches.flatMap((rows) => rows.flatMap((row) => row.slice(1)));
    assert.deepEqual([...text, ...packer.waiting], whole);
    assert.ok(packer.waiting.length < form.textTokens);
  });
}

Deno.test("rows do not depend on how the stream is divided, nor on where it is taken up", () => {
  const tokenizer = demo();
  const form = rowForm(tokenizer, 19);
  const tokens = documentTokens(tokenizer, form)(DOCUMENTS);
  const whole = new RowPacker(form).pack(tokens);
  let packer = new RowPacker(form);
  const rows: number[] = [];
  for (const part of inBatches([...tokens], 13)) {
    packer = new RowPacker(form, [...packer.waiting]);
    rows.push(...packer.pack(Uint32Array.from(part)));
  }
  assert.deepEqual(rows, [...whole]);
});

Deno.test("a last row that is full is dropped as well, and so is all of a short batch", () => {
  const form = rowForm(demo(), 5);
  const rows = (tokens: number) => rowsWithoutLast(new Uint32Array(tokens), form).length / 5;
  assert.deepEqual([0, 1, 4, 5, 8, 9].map(rows), [0, 0, 0, 1, 1, 2]);
});

Deno.test("special tokens behind the text are behind every row", () => {
  const file = JSON.parse(TOKENIZER);
  const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  file.post_processor = {
    type: "TemplateProcessing",
    single: [
      special("<|begin_of_text|>"),
      { Sequence: { id: "A", type_id: 0 } },
      special(
        "<|end_of_text|>",
      ),
    ],
    pair: [],
    special_tokens: Object.fromEntries(
      [["<|begin_of_text|>", 8190], ["<|end_of_text|>", EOS]].map(([id, number]) => [
        id,
        { id, ids: [number], tokens: [id] },
      ]),
    ),
  };
  const tokenizer = loadTokenizer(JSON.stringify(file), CONFIG, "tokenizer.json");
  const form = rowForm(tokenizer, 6);
  assert.deepEqual([[...form.before], [...form.after], form.textTokens], [[8190], [EOS], 4]);
  const rows = new RowPacker(form).pack(Uint32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9));
  assert.deepEqual([...rows], [8190, 1, 2, 3, 4, EOS, 8190, 5, 6, 7, 8, EOS]);
});

Deno.test("a separator that is no token of its own merges with the texts, as in one text", () => {
  const tokenizer = demo({ eos_token: null });
  assert.equal(separatorOf(tokenizer), "<|endoftext|>");
  const form = rowForm(tokenizer, 64);
  const found = documentTokens(tokenizer, form)([">a", "", "b"]);
  const one = tokenizer.encode("<|endoftext|>>a<|endoftext|><|endoftext|>b").slice(1);
  assert.deepEqual(found, one);
});

Deno.test("rows are no longer than the model reads, and not too short for text", async () => {
  assert.equal(rowForm(demo(), 2048).contextLength, 512);
  assert.equal(rowForm(demo({ model_max_length: 1e30 }), 2048).contextLength, 2048);
  await refuses(() => rowForm(demo(), 1), /no room for text beside the 1 special/);
  const plain = {
    ...demo(),
    encode: (text: string) => Uint32Array.from(text, () => 7),
  } as Tokenizer;
  assert.equal(rowForm(plain, 1).textTokens, 1);
});
