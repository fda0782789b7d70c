/** Changes to JSON that leave it JSON, mostly: other types, sizes, keys, and depths. */
import type { Bytes } from "./bytes.ts";
import { mutateBytes, utf8 } from "./bytes.ts";
import { INTERESTING, type Random } from "./random.ts";

/** JSON as it is written: keys may repeat, and a number may be any literal. */
export type JsonNode =
  | { readonly kind: "object"; readonly entries: [string, JsonNode][] }
  | { readonly kind: "array"; readonly items: JsonNode[] }
  | { readonly kind: "literal"; text: string };

/** A value as nodes that can be changed. */
export function toNode(value: unknown): JsonNode {
  if (Array.isArray(value)) return { kind: "array", items: value.map(toNode) };
  if (typeof value !== "object" || value === null) return literal(JSON.stringify(value));
  const entries = Object.entries(value).map(([key, inner]): [string, JsonNode] => [
    key,
    toNode(inner),
  ]);
  return { kind: "object", entries };
}

/** What a file of such nodes holds. */
export function print(node: JsonNode): string {
  switch (node.kind) {
    case "literal":
      return node.text;
    case "array":
      return `[${node.items.map(print).join(",")}]`;
    case "object":
      return `{${
        node.entries.map(([key, inner]) => `${JSON.stringify(key)}:${print(inner)}`).join(",")
      }}`;
  }
}

/** A copy of a JSON text with some of its nodes changed; now and then no JSON any more. */
export function mutateJson(seed: Bytes, random: Random, others: readonly Bytes[]): Bytes {
  const text = utf8(mutatedJsonText(JSON.parse(new TextDecoder().decode(seed)), random));
  return random.chance(4) ? mutateBytes(text, random, others) : text;
}

/** A value as JSON with some of its nodes changed. */
export function mutatedJsonText(value: unknown, random: Random): string {
  const root: JsonNode = { kind: "array", items: [toNode(value)] };
  const changes = random.chance(60) ? 1 : random.few();
  for (let i = 0; i < changes; i++) change(root, random);
  return print(root).slice(1, -1);
}

function literal(text: string): JsonNode {
  return { kind: "literal", text };
}

/** A place that holds a node. */
interface Place {
  readonly holder: Exclude<JsonNode, { kind: "literal" }>;
  readonly at: number;
}

function placesIn(node: JsonNode, places: Place[] = []): Place[] {
  if (node.kind === "literal") return places;
  const inner = node.kind === "array" ? node.items : node.entries.map(([, value]) => value);
  for (const [at, value] of inner.entries()) {
    places.push({ holder: node, at });
    placesIn(value, places);
  }
  return places;
}

function nodeAt({ holder, at }: Place): JsonNode {
  return holder.kind === "array" ? holder.items[at] : holder.entries[at][1];
}

function replace({ holder, at }: Place, node: JsonNode): void {
  if (holder.kind === "array") holder.items[at] = node;
  else holder.entries[at][1] = node;
}

function change(root: JsonNode, random: Random): void {
  const places = placesIn(root);
  if (places.length === 0) return;
  const place = random.pick(places);
  const node = nodeAt(place);
  const kind = random.below(10);
  if (kind < 4 && node.kind === "literal") replace(place, literal(changed(node.text, random)));
  else if (kind < 6) replace(place, literal(random.pick(HOSTILE)));
  else if (kind < 7) replace(place, structuredClone(nodeAt(random.pick(places))));
  else if (kind < 8) remove(place);
  else if (kind < 9) repeat(place, random);
  else rename(place, random);
}

function remove({ holder, at }: Place): void {
  if (holder.kind === "array") holder.items.splice(at, 1);
  else holder.entries.splice(at, 1);
}

function repeat({ holder, at }: Place, random: Random): void {
  const times = random.chance(3) ? 3000 : random.few();
  if (holder.kind === "array") {
    const copies = Array.from({ length: times }, () => structuredClone(holder.items[at]));
    holder.items.splice(at, 0, ...copies);
  } else {
    const [key, node] = holder.entries[at];
    const copies = Array.from({ length: times }, (_, i): [string, JsonNode] => [
      random.chance(50) ? key : `${key}${i}`,
      structuredClone(node),
    ]);
    holder.entries.splice(at, 0, ...copies);
  }
}

function rename({ holder, at }: Place, random: Random): void {
  if (holder.kind === "array") return;
  const [other] = random.pick(holder.entries);
  holder.entries[at][0] = random.pick([...KEYS, other]);
}

/** Keys that mean something to JavaScript, to terminals, or nothing to anyone. */
const KEYS: readonly string[] = [
  "__proto__",
  "constructor",
  "toString",
  "length",
  "then",
  "",
  "\n",
  "\u001b[2J",
  "\u2028",
  "../../etc/passwd",
  "k".repeat(10_000),
];

/** Values that no field expects. */
const HOSTILE: readonly string[] = [
  "null",
  "true",
  "false",
  "0",
  "-0",
  "-1",
  "0.5",
  "1e-320",
  "1e308",
  "1e999",
  "-1e999",
  "9007199254740993",
  ...INTERESTING.map(String),
  '""',
  '"\\n"',
  '"\\u0000"',
  '"\\ud800"',
  '"\\u2028\\u009b31m"',
  JSON.stringify("x".repeat(20_000)),
  "[]",
  "{}",
  "[[]]",
  "[1]",
  "[4294967295,0]",
  "[9007199254740991,0]",
  '{"length":4294967295}',
  '{"__proto__":{"k":1}}',
  '{"toString":1,"valueOf":1}',
  "[".repeat(20_000) + "]".repeat(20_000),
  '{"a":'.repeat(20_000) + "1" + "}".repeat(20_000),
];

function changed(text: string, random: Random): string {
  if (text.startsWith('"')) return changedString(JSON.parse(text), random);
  const number = Number(text);
  if (!Number.isFinite(number)) return random.pick(HOSTILE);
  return random.pick([
    String(number + 1),
    String(number - 1),
    String(-number),
    String(number * 2),
    String(number / 2),
    `${number}e3`,
    String(random.pick(INTERESTING)),
    String(BigInt(Math.trunc(number)) + random.pick(INTERESTING)),
  ]);
}

function changedString(text: string, random: Random): string {
  const at = random.below(text.length + 1);
  return JSON.stringify(random.pick([
    text.slice(0, at),
    text.slice(at),
    text + text,
    text.slice(0, at) + random.pick(KEYS) + text.slice(at),
    text.replace(/\d+/, String(random.pick(INTERESTING))),
    text.replace(/\w+/, ""),
    text.toUpperCase(),
  ]));
}
