import assert from "node:assert/strict";
import { projectPath } from "../../tests/support/tensors.ts";
import { memorySource } from "./byte_source.ts";
import { parseGguf } from "./gguf.ts";
import { loadGgufTokenizer } from "./gguf_tokenizer.ts";
import type { GgufValue } from "./gguf_values.ts";
import { InputError } from "./input_error.ts";

const { metadata: METADATA } = await parseGguf(
  memorySource(await Deno.readFile(projectPath("tests/fixtures/gguf/tiny.gguf"))),
  "tiny.gguf",
);
const EXPECTED: { texts: string[]; ids: Record<string, number[][]> } = JSON.parse(
  await Deno.readTextFile(projectPath("tests/fixtures/gguf/tiny_tokens.json")),
);

function load(fields: Readonly<Record<string, GgufValue | undefined>>) {
  const metadata = new Map(METADATA);
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) metadata.delete(`tokenizer.ggml.${name}`);
    else metadata.set(`tokenizer.ggml.${name}`, value);
  }
  return loadGgufTokenizer(metadata, "tiny.gguf");
}

Deno.test("GGUF tokenizer: ids are those of the tokenizers library, cut in every way", () => {
  const cuttings = Object.entries(EXPECTED.ids);
  assert.equal(cuttings.length, 3);
  assert.notDeepEqual(EXPECTED.ids["smollm"], EXPECTED.ids["gpt-2"]);
  assert.notDeepEqual(EXPECTED.ids["llama-bpe"], EXPECTED.ids["gpt-2"]);
  for (const [pre, ids] of cuttings) {
    const tokenizer = load({ pre });
    assert.equal(tokenizer.vocabSize, 330);
    EXPECTED.texts.forEach((text, i) => {
      assert.deepEqual([...tokenizer.encode(text)], ids[i], `${pre}: ${text}`);
      assert.equal(tokenizer.decode(ids[i]), text);
    });
  }
});

Deno.test("GGUF tokenizer: BOS as the file says, else as the kind of model does", () => {
  const first = (fields: Parameters<typeof load>[0]) => load(fields).encode("a")[0];
  const [bare] = load({}).encode("a");
  assert.notEqual(bare, 1);
  assert.equal(load({}).bosId, 1);
  assert.equal(first({ add_bos_token: true }), 1);
  assert.equal(first({ add_bos_token: undefined }), bare);
  assert.equal(first({ add_bos_token: undefined, pre: "llama-bpe" }), 1);
  assert.equal(first({ add_bos_token: false, pre: "llama-bpe" }), bare);
  assert.equal(load({ bos_token_id: undefined }).bosId, undefined);
});

Deno.test("GGUF tokenizer: what cannot be used is refused in a sentence", () => {
  const refused = (fields: Parameters<typeof load>[0], why: RegExp) =>
    assert.throws(() => load(fields), (error: Error) => {
      assert.ok(error instanceof InputError, String(error.stack));
      assert.match(
        error.message,
        /^The tokenizer in tiny\.gguf[^\n]+tokenizer\.json beside the file\.$/,
      );
      assert.match(error.message, why);
      return true;
    });
  refused({ model: "llama" }, /of the kind "llama"/);
  refused({ model: undefined }, /there is none/);
  refused({ pre: "default" }, /cuts texts as "default"/);
  refused({ pre: undefined }, /"unnamed"/);
  refused({ tokens: undefined }, /tokens is not an array of strings/);
  refused({ tokens: ["a", "a"] }, /not all different/);
  refused({ token_type: Int32Array.of(1) }, /not an array of 330 integers/);
  refused({ merges: ["h e l"] }, /"h e l" does not join/);
  refused({ merges: ["h q"] }, /"h q" does not join/);
  refused({ bos_token_id: 330 }, /bos_token_id is not the id/);
  refused({ add_eos_token: true }, /ends every text/);
});
