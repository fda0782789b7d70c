/** Texts of ppl by language, from a tokenizer of one token per letter. */
import assert from "node:assert/strict";
import type { Corpus } from "../data/corpora.ts";
import { languageOf } from "../data/languages.ts";
import { InputError } from "../formats/input_error.ts";
import type { Subject } from "../subject/subject.ts";
import { textsByLanguage } from "./ppl_texts.ts";

const SUBJECT = {
  config: { vocabularySize: 0x110000 },
  tokenizer: { encode: (text: string) => Uint32Array.from(text, (c) => c.codePointAt(0) ?? 0) },
} as unknown as Subject;

function corpus(name: string, lang: string, texts: string[], documents: number[]): Corpus {
  const spec = { name, lang, split: "train", start: 0, end: Infinity };
  const rows = texts.map((_, i) => 10 + i);
  const language = languageOf(lang);
  return { spec, language, source: { name, files: [] }, texts, documents, rows, sha256: "" };
}

Deno.test("data sets of one language are one, and their documents stay apart", () => {
  const found = textsByLanguage(SUBJECT, [
    corpus("a", "th", ["ab", "cd", "ef"], [0, 0, 3]),
    corpus("a", "de", ["xyz"], [2]),
    corpus("b", "tha_Thai", ["gh", "ij"], [0, 3]),
  ], 3);
  assert.deepEqual(found.map(({ language }) => language.name), ["Thai", "German"]);
  const [{ texts, documents }] = found;
  assert.deepEqual(
    texts.map(({ ids }) => String.fromCodePoint(...ids)),
    ["ab", "cd", "ef", "gh", "ij"],
  );
  assert.deepEqual(documents, [0, 0, 3, 4, 7]);
});

Deno.test("a text without anything to predict is named by its row", () => {
  assert.throws(
    () => textsByLanguage(SUBJECT, [corpus("a", "th", ["ab", "c"], [0, 1])], 9),
    (error: Error) => {
      assert.ok(error instanceof InputError);
      assert.match(
        error.message,
        /^Row 11 of a:th\S* has 1 token, too few .+ leave the row out\.$/,
      );
      return true;
    },
  );
});

Deno.test("a text that no batch holds is named by its row", () => {
  const corpora = [corpus("a", "th", ["ab", "abc"], [0, 1])];
  assert.throws(() => textsByLanguage(SUBJECT, corpora, 2), /Row 11 of a:th\S* has 3 tokens/);
});
