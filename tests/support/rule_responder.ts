#!/usr/bin/env -S deno run --allow-net
/**
 * A language model of two rules, so that explanations and scores are known before they are asked for:
 *
 * - Asked for an explanation, it names the word that is most often between `<<` and `>>` in the
 *   question; of several, the first by code units: `[EXPLANATION]: texts with «word»`.
 * - Asked whether examples fit an explanation, it says yes to those whose text has the word; where
 *   parts of examples are marked, to those of which every marked part has it, and there is one.
 * - Asked which example does not belong, it names the first whose marked parts do not have the most
 *   common marked word.
 * - Asked for the activations of a document, it gives 10 to every token that has the word, 0 to others.
 *
 * As a program it answers on a port of this machine, for demonstrations:
 * `deno run --allow-net tests/support/rule_responder.ts 8080`.
 */
import { type ChatQuestion, type ChatServer, startChatServer } from "./chat_server.ts";
import type { ChatServerOptions } from "./chat_server.ts";

/** The answer to a question. */
export function ruleAnswer({ messages, response_format }: ChatQuestion): string {
  const question = messages.findLast(({ role }) => role === "user")?.content ?? "";
  const system = messages.find(({ role }) => role === "system")?.content ?? "";
  if (system.includes("[RESPONSE]")) return intruder(question);
  const explanation = explanationIn(question);
  if (explanation === undefined) return explain(question);
  const labels = examplesIn(question).map((text) => fits(text, wordOf(explanation)) ? 1 : 0);
  return inSchema(labels, response_format?.json_schema.schema);
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

/** The most common word between marks: letters and digits in a row, as far as they are marked. */
export function commonMarkedWord(text: string): string {
  const counts = new Map<string, number>();
  for (const part of markedParts(text)) {
    for (const [word] of part.matchAll(/[\p{L}\p{M}\p{N}]+/gu)) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  const ranked = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return ranked[0]?.[0] ?? "";
}

/** Whether an example has the word: in its marked parts, if it has any, else anywhere. */
export function fits(text: string, word: string | undefined): boolean {
  if (word === undefined) return false;
  const parts = markedParts(text);
  return parts.length > 0 ? parts.every((part) => part.includes(word)) : text.includes(word);
}

function explain(question: string): string {
  return `[EXPLANATION]: ${explanationOf(commonMarkedWord(question))}`;
}

function intruder(question: string): string {
  const word = commonMarkedWord(question);
  const index = examplesIn(question).findIndex((text) => !fits(text, word));
  return `[RESPONSE]: ${Math.max(index, 0)}`;
}

/** What lies between marks; escapes of quoted text are not words. */
function markedParts(text: string): string[] {
  const plain = text.replace(/\\(u[0-9a-f]{4}|[^u])/g, " ");
  return [...plain.matchAll(/<<(.*?)>>/gs)].map(([, part]) => part);
}

function explanationIn(question: string): string | undefined {
  return /^\s*Latent explanation:\s*(.*?)\n\s*\n\s*(?:Text|Test) examples:/s.exec(question)?.[1];
}

/** Texts of `Example 0: text`; a text reaches to the next number in turn. */
function examplesIn(question: string): string[] {
  const texts: string[] = [];
  const [first] = /^Example (\d+):/m.exec(question) ?? [];
  if (first === undefined) return texts;
  let rest = question.slice(question.indexOf(first));
  for (let i = Number(/\d+/.exec(first)![0]);; i++) {
    const heading = `Example ${i}:`;
    if (!rest.startsWith(heading)) return texts;
    rest = rest.slice(heading.length);
    const next = rest.indexOf(`\nExample ${i + 1}:`);
    texts.push(next < 0 ? rest : rest.slice(0, next));
    if (next < 0) return texts;
    rest = rest.slice(next + 1);
  }
}

/** The list in the place that a schema has for one; the list alone without a schema. */
function inSchema(labels: readonly number[], schema: unknown): string {
  const properties = (schema as { properties?: Record<string, { type?: string }> })?.properties;
  const [name] = Object.entries(properties ?? {}).find(([, { type }]) => type === "array") ?? [];
  return JSON.stringify(name === undefined ? labels : { [name]: labels });
}

/** How often a text has each letter of the Latin alphabet, and one for all texts. */
function lettersOf(text: string): number[] {
  const letters = Array.from({ length: 26 }, (_, i) => String.fromCharCode(0x61 + i));
  const lower = text.toLowerCase();
  return [1, ...letters.map((letter) => lower.split(letter).length - 1)];
}

if (import.meta.main) {
  const server = startRuleResponder({ port: Number(Deno.args[0] ?? 8080) });
  // deno-lint-ignore no-console -- this is a program for demonstrations, not a step
  console.log(`answers at ${server.url}`);
}
