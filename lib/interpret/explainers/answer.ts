/** What the answer of an explainer says, and what can be wrong with it. */
import type { ChatReply } from "../../llm/chat.ts";
import { withoutThoughts } from "../prompts/conversation.ts";
import { PUBLISHED_EXPLAINER } from "../prompts/published_explainer.ts";
import type { Explanation, ExplanationProblem } from "./explainer.ts";

/** Longest explanation that is believed, in characters; good ones are a sentence or two. */
export const LONGEST_EXPLANATION = 1000;
/** Characters kept of an answer that is of no use: enough to see what it was. */
const KEPT = 2000;
/** What is kept of an answer without a marker as published (B.6). */
export const UNPARSED = "Explanation could not be parsed.";

const MARKER = /\[\s*EXPLANATION\s*\][\s*]*:/gi;

/** As published: all after the first marker, whatever it is. */
export function publishedExplanation({ text }: ChatReply): Explanation {
  const [, explanation] = /\[EXPLANATION\]:\s*([^]*)/.exec(text) ?? [];
  return { text: explanation?.trim() ?? UNPARSED };
}

/**
 * All after the last marker: what comes before may be thoughts, or an echo of the question with a marker
 * in it. An answer that was cut off, has no marker, says nothing or only babbles has a problem.
 */
export function explanationOf({ text, finish }: ChatReply): Explanation {
  const answer = withoutThoughts(text);
  const marker = [...answer.matchAll(MARKER)].at(-1);
  const explanation = marker && cleaned(answer.slice(marker.index + marker[0].length));
  const problem = problemOf(answer, explanation, finish);
  const kept = explanation ?? answer.trim();
  return problem === undefined
    ? { text: kept }
    : { text: kept.slice(0, KEPT).toWellFormed(), problem };
}

function problemOf(
  answer: string,
  explanation: string | undefined,
  finish: string,
): ExplanationProblem | undefined {
  const said = explanation ?? answer;
  if (isLoop(said)) return "degenerate";
  if (finish === "length") return "truncated";
  if (said.trim() === "") return "empty";
  if (explanation === undefined) return "unparsable";
  const babble = explanation.length > LONGEST_EXPLANATION || echoes(explanation);
  return babble ? "degenerate" : undefined;
}

/** Without the emphasis and the quotation marks that some models put around it. */
function cleaned(explanation: string): string {
  const bare = explanation.trim().replace(/^\*\*\s*/, "").replace(/\*\*$/, "").trim();
  const [, inside] = /^"([^"]*)"$/.exec(bare) ?? [];
  return inside ?? bare;
}

/** Repeats that make a text a loop, and the characters that they take at least. */
const REPEATS = 4;
const LOOP = 40;
/** A text of this many words, fewer than a third of them different, repeats itself too. */
const MANY_WORDS = 40;

/**
 * True for a text that ends in the same characters four times or more, or that says few words many
 * times: what is left when a model does not find the end.
 */
export function isLoop(text: string): boolean {
  const tail = text.trim().slice(-LONGEST_EXPLANATION);
  for (let period = 1; period * REPEATS <= tail.length; period++) {
    let same = 0;
    while (
      same < tail.length - period &&
      tail[tail.length - 1 - same] === tail[tail.length - 1 - same - period]
    ) same++;
    const length = same + period;
    if (length >= REPEATS * period && length >= LOOP) return true;
  }
  const words = tail.toLowerCase().split(/\s+/);
  return words.length >= MANY_WORDS && new Set(words).size * 3 < words.length;
}

/** Lines of the question, or an answer that was shown as an example. */
function echoes(explanation: string): boolean {
  const shown = PUBLISHED_EXPLAINER.shots.map(({ assistant }) => afterMarker(assistant));
  return shown.includes(explanation) || /<<[^]*>>|\bActivations:|\bExample \d+:/.test(explanation);
}

function afterMarker(answer: string): string {
  return answer.slice(answer.indexOf(":") + 1).trim();
}
