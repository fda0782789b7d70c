import assert from "node:assert/strict";
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import fc from "fast-check";
import defaultTexts from "../../tests/fixtures/oracle/default_texts.json" with { type: "json" };
import forward from "../../tests/fixtures/oracle/forward.json" with { type: "json" };
import { InputError } from "./input_error.ts";
import { fromBytes } from "./safetensors.ts";
import { loadTokenizer } from "./tokenizer.ts";

const MODEL = new URL("../../assets/demo/model/", import.meta.url);
const tokenizerJson = Deno.readTextFileSync(new URL("tokenizer.json", MODEL));
const configJson = Deno.readTextFileSync(new URL("tokenizer_config.json", MODEL));
const demo = loadTokenizer(tokenizerJson, configJson, "tokenizer.json");
const BOS = 8190;

Deno.test("the embedded model's token ids are those of the reference, in every language", () => {
  assert.equal(forward.length, 15);
  for (const { text, ids, lang } of forward) {
    assert.deepEqual([...demo.encode(text)], ids, lang);
  }
});

Deno.test("every text of the default job has as many tokens as the reference counted", async () => {
  const counts = new URL("../../tests/fixtures/oracle/default/counts/neurons/", import.meta.url);
  for (const [lang, texts] of Object.entries(defaultTexts)) {
    const bytes = await Deno.readFile(new URL(`${lang}.safetensors`, counts));
    const expected = Number(fromBytes(bytes, lang).metadata.num_tokens);
    const tokens = texts.reduce((sum, text) => sum + demo.encode(text).length, 0);
    assert.equal(tokens, expected, lang);
  }
});

Deno.test("BOS and the size of the vocabulary are the embedded model's", () => {
  assert.equal(demo.bosId, BOS);
  assert.equal(demo.vocabSize, 8192);
  assert.deepEqual([...demo.encode("")], [BOS]);
});

Deno.test("decoding gives the text back after BOS", () => {
  for (const texts of Object.values(defaultTexts)) {
    for (const text of texts) {
      assert.equal(demo.decode(demo.encode(text)), "<|begin_of_text|>" + text);
    }
  }
});

Deno.test("pieces hold whole characters and join to the text", () => {
  let split = 0;
  for (const texts of Object.values(defaultTexts)) {
    for (const text of texts) {
      const pieces = demo.decodePieces(demo.encode(text));
      assert.equal(pieces.join(""), "<|begin_of_text|>" + text);
      assert.ok(pieces.every((piece) => !piece.includes("\ufffd")));
      split += pieces.filter((piece) => piece === "").length;
    }
  }
  assert.ok(split > 0, "no text had a character split over tokens: the test shows nothing");
});

Deno.test("a character over several tokens belongs to the first of them", () => {
  const ids = demo.encode("𓀀b").slice(1);
  const bytes = Array.from(ids, (id) => [...demo.tokenText(id)]);
  assert.deepEqual(bytes.flat(), [0xf0, 0x93, 0x80, 0x80, 0x62]);
  assert.ok(ids.length > 2, "expected a rare character to be split over tokens");
  const pieces = demo.decodePieces(ids);
  assert.equal(pieces[0], "𓀀");
  assert.equal(pieces.at(-1), "b");
  assert.deepEqual(pieces.slice(1, -1), Array(ids.length - 2).fill(""));
});

Deno.test("any text comes back, and any ids decode as the reference library decodes them", () => {
  const reference = new HuggingFaceTokenizer(JSON.parse(tokenizerJson), JSON.parse(configJson));
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
    assert.equal(demo.decode(demo.encode(text).slice(1)), text);
  }));
  const anyIds = fc.array(fc.nat({ max: 8191 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(anyIds, (ids) => {
      assert.equal(
        demo.decode(ids),
        reference.decode(ids, { clean_up_tokenization_spaces: false }),
      );
    }),
    { numRuns: 1000 },
  );
});

Deno.test("an id outside the vocabulary is a defect of the caller", () => {
  assert.throws(() => demo.decode([8192]), RangeError);
});

/** A byte-fallback vocabulary as Llama 2 has it: `▁` for spaces, `<0xHH>` for the rest. */
function sentencePiece(change: Record<string, unknown> = {}): string {
  const vocab: Record<string, number> = { "<unk>": 0, "<s>": 1, "</s>": 2 };
  const add = (token: string) => vocab[token] = Object.keys(vocab).length;
  for (let byte = 0; byte < 256; byte++) {
    add(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
  }
  ["\u2581", "a", "b", "\u2581a", "\u2581ab"].forEach(add);
  const special = (content: string) => ({ id: vocab[content], content, special: true });
  return JSON.stringify({
    added_tokens: ["<unk>", "<s>", "</s>"].map(special),
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "Prepend", prepend: "\u2581" },
        { type: "Replace", pattern: { String: " " }, content: "\u2581" },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: "\u2581" }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        { type: "Strip", content: " ", start: 1, stop: 0 },
      ],
    },
    model: {
      type: "BPE",
      vocab,
      merges: ["\u2581 a", "\u2581a b"],
      unk_token: "<unk>",
      byte_fallback: true,
      fuse_unk: true,
    },
    ...change,
  });
}

Deno.test("byte-fallback vocabularies: spaces, bytes and the space in front", () => {
  const tokenizer = loadTokenizer(sentencePiece(), undefined, "tokenizer.json");
  const ids = tokenizer.encode("ab a語");
  assert.deepEqual(tokenizer.decodePieces(ids), ["ab", " a", "語", "", ""]);
  assert.equal(tokenizer.bosId, undefined);
});

Deno.test("BOS: from the config's wish, the model's id, or not at all", () => {
  const ids = (
    config: string | undefined,
    options = {},
  ) => [...loadTokenizer(sentencePiece(), config, "tokenizer.json", options).encode("ab")];
  const [bare] = ids(undefined);
  assert.deepEqual(ids(undefined), [bare]);
  assert.deepEqual(ids(`{"bos_token":"<s>"}`), [bare]);
  assert.deepEqual(ids(`{"bos_token":{"content":"<s>"},"add_bos_token":true}`), [1, bare]);
  assert.deepEqual(ids(`{"add_bos_token":true}`, { bosId: 1 }), [1, bare]);
  assert.deepEqual(ids(undefined, { bosId: 1 }), [bare]);
  const unwanted = JSON.stringify({ ...JSON.parse(configJson), add_bos_token: false });
  const without = loadTokenizer(tokenizerJson, unwanted, "tokenizer.json");
  assert.deepEqual([...without.encode("a")], [...demo.encode("a")].slice(1));
});

Deno.test("BOS is put once, also when the model's id says it again", () => {
  const both = loadTokenizer(tokenizerJson, `{"add_bos_token":true}`, "t", { bosId: BOS });
  assert.deepEqual(both.encode("a"), demo.encode("a"));
  assert.equal(loadTokenizer(tokenizerJson, undefined, "t").bosId, BOS);
});

Deno.test("files that are no tokenizer are refused in one sentence", () => {
  const refused = (json: string, config?: string) =>
    assert.throws(() => loadTokenizer(json, config, "m/tokenizer.json"), (error: Error) => {
      assert.ok(error instanceof InputError, String(error.stack));
      assert.match(error.message, /^m\/tokenizer\.json.* is not a usable tokenizer \(.+\): .+\.$/);
      return true;
    });
  refused("{");
  refused("[]");
  refused("{}");
  refused(tokenizerJson.slice(0, 5000));
  refused(sentencePiece({ model: { type: "BPE" } }));
  refused(sentencePiece({ model: null }));
  refused(sentencePiece({ pre_tokenizer: { type: "Unheard" } }));
  refused(sentencePiece(), "no json");
});

Deno.test("Digits cut all numbers of Unicode, as in the reference implementation", () => {
  // Ids of Rust's tokenizers 0.21.
  const expected = [
    {
      individual_digits: true,
      ids: [
        8190,
        364,
        3447,
        319,
        290,
        220,
        263,
        239,
        263,
        240,
        220,
        17,
        15,
        17,
        19,
        220,
        158,
        227,
        104,
        3833,
        262,
        107,
        262,
        103,
        262,
        106,
      ],
    },
    {
      individual_digits: false,
      ids: [
        8190,
        364,
        3447,
        319,
        290,
        220,
        263,
        239,
        263,
        240,
        220,
        616,
        5319,
        220,
        158,
        227,
        104,
        5864,
        107,
        262,
        103,
        262,
        106,
      ],
    },
  ];
  for (const { individual_digits, ids } of expected) {
    const pretokenizers = [
      { type: "Digits", individual_digits },
      { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    ];
    const changed = {
      ...JSON.parse(tokenizerJson),
      pre_tokenizer: { type: "Sequence", pretokenizers },
    };
    const tokenizer = loadTokenizer(JSON.stringify(changed), configJson, "tokenizer.json");
    assert.deepEqual([...tokenizer.encode("มาตรา ๑๒ 2024 Ⅻ१९४८")], ids);
  }
});

Deno.test("a decoder that is none is a fault of the file", () => {
  const file = JSON.parse(sentencePiece());
  for (const decoder of [7, { decoders: 7 }, { decoders: [null] }, strip({}), strip("x")]) {
    const json = JSON.stringify({ ...file, decoder });
    try {
      loadTokenizer(json, undefined, "tokenizer.json").decode([0]);
    } catch (error) {
      assert.ok(error instanceof InputError, `${(error as Error).stack}`);
    }
  }
  const noNumber = JSON.stringify({ ...file, decoder: strip({ toString: 1, valueOf: 1 }) });
  assert.throws(
    () => loadTokenizer(noNumber, undefined, "tokenizer.json"),
    /not a usable tokenizer/,
  );
});

function strip(start: unknown) {
  return { type: "Sequence", decoders: [{ type: "Strip", content: " ", start, stop: 0 }] };
}
