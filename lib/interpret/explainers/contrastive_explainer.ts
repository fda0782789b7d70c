/**
 * The explainer `contrastive`: windows in which a latent fires beside windows in which it does not,
 * which look alike if they are neighbours or FAISS's. The published one fails on its own examples, and
 * its text is not published here: this one is worded anew (spec B.6).
 */
import { listed, numbered } from "./default_explainer.ts";
import type { Explainer } from "./explainer.ts";
import { explainer, type Wording } from "./wording.ts";

const ACTIVATING = 15;
const NON_ACTIVATING = 5;

const SYSTEM =
  `You are a meticulous AI researcher conducting an important investigation into patterns found in language. Your task is to find what text examples have in common that counterexamples have not.
Guidelines:

You will be given activating examples, in which special words are selected and between delimiters like <<this>>; how important each token is, from 0 to 10, is listed after each example. Then you will be given non-activating examples, in which there are no special words though they may look alike.

- Describe what the special words and their surroundings share, and what sets them apart from the counterexamples.
- If examples are uninformative, you don't need to mention them.
- Do not mention the marker tokens (<< >>) in your explanation.
- Do not make lists of possible explanations. Keep your explanation short and concise.
- The last line of your response must be the formatted explanation, using [EXPLANATION]:
`;

/** Asks what sets apart the 15 strongest windows from 5 others. */
export function contrastiveExplainer(wording: Wording): Explainer {
  return explainer("contrastive", SYSTEM, [], wording, ({ train, nonActivating }) => {
    const counterexamples = nonActivating.slice(0, NON_ACTIVATING)
      .map((example) => ({ ...example, activations: new Float32Array(example.tokens.length) }));
    return `ACTIVATING EXAMPLES:\n${numbered(train.slice(0, ACTIVATING), listed)}\n` +
      `NON-ACTIVATING EXAMPLES:\n${numbered(counterexamples)}`;
  });
}
