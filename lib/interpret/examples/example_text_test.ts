/** Texts of tokens that are cut out of a text anywhere. */
import assert from "node:assert/strict";
import { userAccess } from "../../subject/access.ts";
import { openModelTokenizer } from "../../subject/open_tokenizer.ts";
import { lonelyTexts, ontoTexts, windowTexts } from "./example_text.ts";

const { tokenizer } = await openModelTokenizer(undefined, userAccess());
const BOS = tokenizer.bosId ?? 0;
const rowTexts = (row: Uint32Array) => windowTexts(tokenizer, row, 0, row.length);
const TEXT = "free 🙂 นั่นคือ🜁 Würde, 你好 ";

Deno.test("a row that begins or ends within a character has whole characters only", () => {
  const ids = tokenizer.encode(TEXT).subarray(1);
  let cut = 0;
  for (let from = 0; from < ids.length; from++) {
    for (let to = from + 1; to <= ids.length; to++) {
      const row = Uint32Array.of(BOS, ...ids.subarray(from, to));
      const texts = rowTexts(row);
      assert.equal(texts.length, row.length);
      const text = texts.slice(1).join("");
      assert.ok(TEXT.includes(text) && !text.includes("\ufffd"), text);
      assert.deepEqual(rowTexts(row.subarray(1)), texts.slice(1));
      const decoded = tokenizer.decodePieces(row);
      assert.deepEqual(
        texts.map((one) => one.length > 0),
        decoded.map((one) => /[^\ufffd]/.test(one)),
      );
      if (decoded.join("") !== texts.join("")) cut++;
    }
  }
  assert.ok(cut > 20, `${cut} rows were cut within a character`);
});

Deno.test("a window has the texts that its tokens have in the whole row", () => {
  const row = tokenizer.encode(TEXT.repeat(2));
  const whole = rowTexts(row);
  for (let start = 0; start < row.length; start++) {
    for (const length of [1, 2, 9]) {
      if (start + length > row.length) continue;
      const texts = windowTexts(tokenizer, row, start, length);
      assert.deepEqual(texts, whole.slice(start, start + length));
    }
  }
});

Deno.test("U+FFFD that the text has stays", () => {
  for (const text of ["\ufffd", "\ufffda", "a\ufffd\ufffd"]) {
    const ids = tokenizer.encode(text);
    assert.equal(rowTexts(ids).slice(1).join(""), text);
  }
});

Deno.test("tokens decoded alone are those of transformers, which may take spaces away", () => {
  const ids = tokenizer.encode("Hello , you . isn 't n't").subarray(1);
  // transformers 4.51: [tokenizer.decode([i], clean_up_tokenization_spaces=…) for i in ids]
  const asTheyAre = ["H", "ello", " ,", " you", " .", " is", "n", " '", "t", " n", "'t"];
  const cleaned = ["H", "ello", ",", " you", ".", " is", "n", " '", "t", " n", "'t"];
  assert.equal(tokenizer.cleansUpSpaces, false);
  assert.deepEqual(lonelyTexts(tokenizer, ids), asTheyAre);
  assert.deepEqual(lonelyTexts({ ...tokenizer, cleansUpSpaces: true }, ids), cleaned);
  const face = tokenizer.encode("🜁").subarray(1);
  assert.ok(face.length > 1 && lonelyTexts(tokenizer, face).every((text) => /\ufffd/.test(text)));
});

Deno.test("a character's activation is the largest of its tokens', where its text is", () => {
  const texts = ["", "a", "友", "", "", "b", ""];
  const activations = Float32Array.of(9, 0, 1, 3, 2, 4, 0);
  assert.deepEqual([...ontoTexts(activations, texts)], [0, 0, 3, 0, 0, 4, 0]);
});
