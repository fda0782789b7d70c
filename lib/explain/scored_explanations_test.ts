import assert from "node:assert/strict";
import { borrowedFrom, ownExplanations } from "./scored_explanations.ts";
import type { Explained } from "../interpret/results/found.ts";

function latent(index: number, language = "Thai") {
  return { hookpoint: "layers.0.mlp", layer: 0, index, languages: [language] };
}

function explained(index: number, text: string, language?: string): Explained {
  return { latent: latent(index, language), group: "identified", kind: "explained", text };
}

const MIXED: Explained[] = [
  explained(1, "one"),
  { ...explained(2, "la la la"), kind: "explained", text: "la la la", problem: "degenerate" },
  { latent: latent(3), group: "identified", kind: "unanswered", reason: "Down." },
  explained(4, "four", "German"),
];

Deno.test("explanations of no use are not scored, but as published everything is", () => {
  const texts = (compat?: "paper") =>
    ownExplanations(MIXED, compat).map(({ latent, text }) => [latent.index, text]);
  assert.deepEqual(texts(), [[1, "one"], [4, "four"]]);
  assert.deepEqual(texts("paper"), [[1, "one"], [2, "la la la"], [3, undefined], [4, "four"]]);
});

Deno.test("an explanation is borrowed from the same language first, and never from oneself", () => {
  const own = ownExplanations([
    explained(1, "one"),
    explained(2, "two", "German"),
    explained(3, "three"),
  ]);
  assert.deepEqual(
    borrowedFrom(own).map(({ latent, group, text }) => [latent.index, group, text]),
    [[1, "shuffled", "three"], [2, "shuffled", "three"], [3, "shuffled", "one"]],
  );
  assert.deepEqual(borrowedFrom(own.slice(0, 1)), []);
});
