/**
 * The explainer `single_token`: only the token of each window on which a latent fires most, for latents
 * that stand for a word or a piece of one (spec B.6; worded anew).
 */
import type { Example } from "../example.ts";
import { inQuotes, quotedTokens } from "../prompts/quoting.ts";
import type { Explainer } from "./explainer.ts";
import { explainer, type Wording } from "./wording.ts";

const SYSTEM =
  `Your job is to look for patterns in text. You will be given a list of WORDS; your task is to say what they have in common.

- Write a concise description of the pattern, not a list of the words.
- The last line of your response must be the formatted explanation, using [EXPLANATION]:

WORDS: [" house", " houses", " Haus", " maison"]
[EXPLANATION]: Words for a house, in several languages.

WORDS: ["ing", "ing", "ed", "ing"]
[EXPLANATION]: Endings of English verbs, mostly of the present participle.

WORDS: [" 1999", " 2004", " 1987"]
[EXPLANATION]: Years around the end of the twentieth century.
`;

/** Asks what the strongest tokens have in common. */
export function singleTokenExplainer(wording: Wording): Explainer {
  return explainer("single_token", SYSTEM, [], wording, ({ train }) => {
    const words = train.map((example) => inQuotes(quotedTokens([strongest(example)])[0]));
    return `WORDS: [${words.join(", ")}]\n`;
  });
}

function strongest({ tokens, activations }: Example): string {
  return tokens[activations.indexOf(Math.max(...activations))];
}
