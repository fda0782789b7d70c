#!/usr/bin/env -S deno run --allow-net
/**
 * A language model that follows rules, so that explanations and scores are known before it is asked:
 *
 * - Asked for an explanation, it names the word that is most often between `<<` and `>>` in the
 *   question, or in its list of WORDS; of several, the first by code units: `texts with «word»`.
 * - Asked whether examples fit an explanation, it says yes to those whose text has the word; where
 *   parts of an example are marked, all of them must have it.
 * - Asked for the intruder, it names the first example without the word that most examples have, in
 *   their marked parts if they have any.
 * - Asked for the activations of a document, it gives 10 to tokens of the word, and 0 to others.
 *
 * A word is letters and digits in a row, as far as they are marked; to have it is to have these
 * characters, within longer words too.
 *
 * As a program it answers on a port of this machine, for demonstrations:
 * `deno run --allow-net tests/support/rule_responder.ts 8080`.
 */
import {
  type ChatQuestion,
  type ChatServer,
  type ChatServerOptions,
  startChatServer,
} from "./chat_server.ts";

/** The answer to a question. */
export function ruleAnswer({ messages, response_format }: ChatQuestion): string {
  const question = messages.findLast(({ role }) => role === "user")?.content ?? "";
  const explained = /^\s*Latent explanation:\s*(.*?)\n\s*\n\s*(?:Text|Test) examples:/s.exec(
    question,
  );
  const inSchema = response_format !== undefined;
  if (explained !== null) {
    const labels = examplesIn(question).map((text) => fits(text, wordOf(explained[1])) ? 1 : 0);
    return JSON.stringify(inSchema ? { answers: labels } : labels);
  }
  if (question.startsWith("{")) return JSON.stringify(simulated(JSON.parse(firstLine(question))));
  if (question.startsWith("Text examples:")) {
    const place = intruder(examplesIn(question));
    return inSchema ? JSON.stringify({ intruder: place }) : `[RESPONSE]: ${place}`;
  }
  return `[EXPLANATION]: ${explanationOf(mostCommon(markedParts(question).flatMap(wordsIn)))}`;
}

/** Starts an endpoint that answers by the rules. */
export function startRuleResponder(
  options: Omit<ChatServerOptions, "answer" | "embed"> = {},
): ChatServer {
  return startChatServer({ ...options, answer: ruleAnswer, embed: lettersOf });
}

/** The explanation that the rule gives for a word. */
export function explanationOf(word: string): string {
  return `texts with «${word}»`;
}

/** Word of an explanation of {@linkcode explanationOf}; undefined for another. */
export function wordOf(explanation: string): string | undefined {
  return /«([^»]+)»/.exec(explanation)?.[1];
}

/** Whether an example has the word: in all marked parts, if it has any, else anywhere. */
export function fits(text: string, word: string | undefined): boolean {
  if (word === undefined) return false;
  const parts = markedParts(text);
  return parts.length > 0 ? parts.every((part) => part.includes(word)) : plain(text).includes(word);
}

/** The most common of some words, the first by code units of several; empty if there is none. */
function mostCommon(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const ranked = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return ranked[0]?.[0] ?? "";
}

function wordsIn(text: string): string[] {
  return text.match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
}

/** What lies between marks, and the entries of a list of WORDS. */
function markedParts(text: string): string[] {
  const [, list] = /^WORDS: \[(.*)\]$/m.exec(text) ?? [];
  if (list !== undefined) {
    return [...list.matchAll(/"((?:\\.|[^"\\])*)"/g)].map(([, word]) => plain(word));
  }
  return [...plain(text).matchAll(/<<(.*?)>>/gs)].map(([, part]) => part);
}

/** Without the escapes of quoted text, whose letters are no words. */
function plain(text: string): string {
  return text.replace(/\\(u[0-9a-f]{4}|[^u])/g, " ");
}

function intruder(examples: readonly string[]): number {
  const words = examples.map((text) => {
    const parts = markedParts(text);
    return new Set((parts.length > 0 ? parts : [plain(text)]).flatMap(wordsIn));
  });
  const common = mostCommon(words.flatMap((set) => [...set]));
  return Math.max(words.findIndex((set) => !set.has(common)), 0);
}

/** The document with its activations filled in. */
function simulated(
  { to_find, document, activations }: {
    to_find: string;
    document: string;
    activations: readonly { readonly token: string }[];
  },
) {
  const word = wordOf(to_find);
  const places = word === undefined
    ? []
    : [...document.matchAll(new RegExp(RegExp.escape(word), "gu"))].map(({ index }) => index);
  let start = 0;
  return {
    activations: activations.map(({ token }) => {
      const end = start + token.length;
      const inside = places.some((place) => place < end && place + word!.length > start);
      start = end;
      return { token, activation: inside ? 10 : 0 };
    }),
  };
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0];
}

/**
 * Texts of `Example 0: text`: each reaches to the next number in turn, the last to the end of the
 * question or to the words with which it is asked again.
 */
function examplesIn(question: string): string[] {
  const [asked] = question.split("\n\nYour last answer");
  const texts: string[] = [];
  let rest = asked.slice(asked.indexOf("Example 0:"));
  for (let i = 0; rest.startsWith(`Example ${i}:`); i++) {
    const next = rest.indexOf(`\nExample ${i + 1}:`);
    texts.push(rest.slice(`Example ${i}:`.length, next < 0 ? undefined : next));
    rest = next < 0 ? "" : rest.slice(next + 1);
  }
  return texts;
}

/** How often a text has each letter of the Latin alphabet, and one for all texts. */
function lettersOf(text: string): number[] {
  const letters = Array.from({ length: 26 }, (_, i) => String.fromCharCode(0x61 + i));
  const lower = text.toLowerCase();
  return [1, ...letters.map((letter) => lower.split(letter).length - 1)];
}

if (import.meta.main) demonstrate(Deno.args[0] ?? "8080");

/** Answers until it is stopped; says where, or in one sentence why not. */
function demonstrate(given: string): void {
  try {
    const { url } = startRuleResponder({ port: portIn(given) });
    // deno-lint-ignore no-console -- this is a program for demonstrations, not a step
    console.log(`Answers at --base-url ${url}, until Ctrl-C.`);
  } catch (error) {
    // deno-lint-ignore no-console -- likewise
    console.error(whyNot(error, given));
    Deno.exit(2);
  }
}

function whyNot(error: unknown, port: string): string {
  if (error instanceof RangeError) return error.message;
  if (error instanceof Deno.errors.AddrInUse) {
    return `Port ${port} is taken by another program; name another.`;
  }
  throw error;
}

function portIn(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : NaN;
  if (port < 65_536) return port;
  throw new RangeError(
    `${JSON.stringify(text)} is no port; name one from 0, any that is free, to 65535.`,
  );
}
