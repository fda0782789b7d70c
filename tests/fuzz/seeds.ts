/** Files that inputs are made from. */
import { projectPath } from "../support/tensors.ts";
import type { Bytes } from "./bytes.ts";
import { utf8 } from "./bytes.ts";

/** Fixtures by their paths below tests/fixtures. */
export function fixtures(...paths: readonly string[]): Bytes[] {
  return paths.map((path) => Deno.readFileSync(projectPath(`tests/fixtures/${path}`)));
}

/** Values as JSON files. */
export function jsonFiles(...values: readonly unknown[]): Bytes[] {
  return values.map((value) => utf8(JSON.stringify(value)));
}

/** The value of a JSON input; undefined where it is none, which whoever opens files says. */
export function jsonOf(bytes: Bytes): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
