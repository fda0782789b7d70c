import assert from "node:assert/strict";
import { readJson } from "../data/files.ts";
import { isLanguage, languageOf } from "../data/languages.ts";
import { projectPath } from "../../tests/support/tensors.ts";
import { identifierScores, openIdentifier } from "./identifiers.ts";

interface FastTextReference {
  readonly text: string;
  readonly labels: (readonly [label: string, probability: number])[];
}

Deno.test("fastText's labels and probabilities are those of its own program", async () => {
  const path = projectPath("tests/fixtures/classify/fasttext.json");
  const identify = await openIdentifier("fasttext");
  for (const { text, labels } of await readJson(path) as FastTextReference[]) {
    const found = identify(text);
    assert.deepEqual(
      found.map(({ language }) => language),
      labels.map(([label]) => isLanguage(label) ? languageOf(label).name : label),
      text,
    );
    for (const [i, { score }] of found.entries()) {
      assert.ok(Math.abs(score - labels[i][1]) < 1e-6, `${text}: ${score}`);
    }
  }
});

Deno.test("fastText reads a text of several lines as one", async () => {
  const identify = await openIdentifier("fasttext");
  assert.deepEqual(identify("Guten\nTag"), identify("Guten Tag"));
});

Deno.test("eld names languages by their qualified names, the likeliest first", async () => {
  const identify = await openIdentifier("eld");
  for (
    const [text, language] of [
      ["Alle Menschen sind frei und gleich an Würde und Rechten geboren.", "German"],
      ["すべての人間は、生まれながらにして自由である。", "Japanese"],
      ["Всички хора се раждат свободни и равни по достойнство и права.", "Bulgarian"],
    ]
  ) {
    const found = identify(text);
    assert.equal(found[0].language, language);
    assert.ok(found.every(({ score }, i) => i === 0 || score <= found[i - 1].score));
  }
  assert.deepEqual(identify(""), []);
});

Deno.test("what an identifier says of languages that are not asked for is dropped", () => {
  const found = [
    { language: "Dutch", score: 0.6 },
    { language: "German", score: 0.3 },
    { language: "German", score: 0.1 },
  ];
  assert.deepEqual(identifierScores(found, ["English", "German"]), [0, 0.3]);
});
