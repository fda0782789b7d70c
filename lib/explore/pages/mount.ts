/// <reference lib="dom" />
/** Puts the explorer into a page. */
import { h, hydrate, render } from "preact";
import type { Backend } from "../backend.ts";
import { hashAddress, pathAddress } from "./address.ts";
import { Answers, type ToldByKey } from "./answers.ts";
import { Explorer } from "./explorer.ts";

/** What the page has already. */
export interface Initial {
  /** `path` where a server answers every address, `hash` on static hosting; default `hash`. */
  readonly address?: "path" | "hash";
  /** Answers that came along with the page; its elements are there too then. */
  readonly told?: ToldByKey;
}

/**
 * Shows the explorer in an element.
 *
 * @param root empty, or with what a server rendered from `initial.told`
 */
export function mountExplorer(backend: Backend, root: Element, initial: Initial = {}): void {
  const address = initial.address === "path" ? pathAddress() : hashAddress();
  const answers = new Answers(backend, initial.told);
  const explorer = h(Explorer, { answers, address });
  if (initial.told) hydrate(explorer, root);
  else render(explorer, root);
}
