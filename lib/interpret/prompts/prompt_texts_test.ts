import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { InputError } from "../../formats/input_error.ts";
import { PUBLISHED_TEXTS, readPromptTexts, withInstruction } from "./prompt_texts.ts";

const { explainer, detection, fuzz } = PUBLISHED_TEXTS;

Deno.test("published texts have the lengths and the hash of the originals (spec B.6, B.7)", () => {
  const hash = createHash("sha256").update(explainer.system).digest("hex");
  assert.equal(explainer.system.length, 1146);
  assert.equal(hash.slice(0, 12), "c51ef276eb98");
  assert.deepEqual(
    explainer.shots.map(({ user, assistant }) => [user.length, assistant.length]),
    [[404, 68], [256, 86], [400, 117]],
  );
  assert.equal(detection.system.length, 487);
  assert.equal(fuzz.system.length, 845);
});

Deno.test("scorers are shown the published answers", () => {
  const answers = (texts: typeof fuzz) => texts.shots.map(({ assistant }) => assistant);
  assert.deepEqual(answers(detection), ["[1,0,0,0,1]", "[0,0,0,0,0]", "[1,1,1,1,1]"]);
  assert.deepEqual(answers(fuzz), ["[1,0,0,1,1]", "[0,0,0,0,0]", "[1,1,1,1,1]"]);
  for (const { user } of [...detection.shots, ...fuzz.shots]) {
    assert.equal(user.match(/^Example \d:/gm)?.length, 5);
  }
});

Deno.test("texts of a file replace those that they name", () => {
  const texts = readPromptTexts({ fuzz: { system: "Mine." }, explainer: { shots: [] } }, "mine");
  assert.equal(texts.fuzz.system, "Mine.");
  assert.equal(texts.fuzz.shots, fuzz.shots);
  assert.deepEqual(texts.explainer, { ...explainer, shots: [] });
  assert.deepEqual(texts.detection, detection);
});

Deno.test("texts of another form are refused", () => {
  for (
    const json of [null, [], "x", { fuz: {} }, { fuzz: { system: 1 } }, { fuzz: { shot: [] } }]
  ) {
    assert.throws(() => readPromptTexts(json, "texts.json"), (error) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, /^texts\.json does not hold texts of prompts: expected /);
      return true;
    });
  }
});

Deno.test("an instruction file is the system text, or messages that begin with it", () => {
  const plain = withInstruction(PUBLISHED_TEXTS, "Explain.", "file");
  assert.deepEqual(plain.explainer, { ...explainer, system: "Explain." });

  const messages = [
    { role: "system", content: "Explain." },
    { role: "user", content: "a" },
    { role: "assistant", content: "b" },
    { role: "user", content: "left out: it has no answer" },
  ];
  const shown = withInstruction(PUBLISHED_TEXTS, messages, "file");
  assert.equal(shown.explainer.system, "Explain.");
  assert.deepEqual(shown.explainer.shots, [{ user: "a", assistant: "b" }]);

  for (const json of [7, {}, [], [{ role: "user", content: "a" }], [{ role: "system" }]]) {
    assert.throws(() => withInstruction(PUBLISHED_TEXTS, json, "file"), InputError);
  }
});
