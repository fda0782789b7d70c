import assert from "node:assert/strict";
import { projectPath } from "../../tests/support/tensors.ts";
import { loadTokenizer } from "../formats/tokenizer.ts";
import { answer, publishedAnswer } from "./answers.ts";

const BOS = 8190;
const EOS = 8191;

const read = (name: string) => Deno.readTextFileSync(projectPath(`assets/demo/model/${name}`));
const tokenizer = loadTokenizer(read("tokenizer.json"), read("tokenizer_config.json"), "demo");
const ids = (text: string, ...more: number[]) =>
  Uint32Array.from([...tokenizer.encode(text).slice(1), ...more]);

Deno.test("an answer is cut at the end token, and keeps its first space and whole characters", () => {
  const prompt = Uint32Array.from([BOS, ...ids("The history of")]);
  for (const text of [" the town", "ประเทศไทย 日本", ""]) {
    assert.equal(answer(tokenizer, prompt, ids(text), [EOS]), text);
    assert.equal(answer(tokenizer, prompt, ids(text, EOS), [7, EOS]), text);
    assert.equal(answer(tokenizer, prompt, ids(text, EOS), []), `${text}<|end_of_text|>`);
  }
});

Deno.test("the published answer of a text that ended early has a part of the prompt and the end token", () => {
  const prompt = Uint32Array.from([BOS, ...ids("The history of")]);
  const whole = ids(" the town is old");
  assert.equal(publishedAnswer(tokenizer, prompt, whole, whole.length), " the town is old");
  const early = ids(" the town", EOS);
  assert.equal(
    publishedAnswer(tokenizer, prompt, early, early.length + prompt.length + 9),
    "<|begin_of_text|>The history of the town<|end_of_text|>",
  );
  assert.equal(
    publishedAnswer(tokenizer, prompt, early, early.length + 1),
    `${tokenizer.decode([prompt[prompt.length - 1]])} the town<|end_of_text|>`,
  );
});
