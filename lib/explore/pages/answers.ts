/**
 * What the pages have asked and were told. A server asks while it renders and sends the answers along,
 * so that the first page is there before any script; then the browser asks for what is new.
 */
import { createContext } from "preact";
import { useContext, useEffect, useRef, useState } from "preact/hooks";
import type { Backend } from "../backend.ts";

/** Questions whose answers do not change. */
type Asked = "overview" | "features" | "feature" | "contexts" | "article";
type Answer<M extends Asked> = Awaited<ReturnType<Backend[M]>>;

/** An answer, or why there is none; JSON. */
export type Told = { readonly answer: unknown } | { readonly problem: string };

/** Answers by question. */
export type ToldByKey = Readonly<Record<string, Told>>;

/** Answers kept; the oldest go. */
const KEPT = 400;

/** Answers of one backend. */
export class Answers {
  readonly #backend: Backend;
  readonly #told: Map<string, Told>;
  /** Questions asked while rendering that have no answer yet. */
  readonly #missing = new Map<string, () => Promise<unknown>>();

  constructor(backend: Backend, told: ToldByKey = {}) {
    this.#backend = backend;
    this.#told = new Map(Object.entries(told));
  }

  get backend(): Backend {
    return this.#backend;
  }

  /** The answer if it is there; else it is missing. */
  told<M extends Asked>(key: string, method: M, args: Parameters<Backend[M]>): Told | undefined {
    const told = this.#told.get(key);
    if (!told) this.#missing.set(key, () => this.#ask(method, args));
    return told;
  }

  /** Asks; a question that cannot be answered is told as a problem. */
  async load<M extends Asked>(
    key: string,
    method: M,
    args: Parameters<Backend[M]>,
  ): Promise<Told> {
    return this.#told.get(key) ?? await this.#keep(key, () => this.#ask(method, args));
  }

  /** Asks all that rendering missed; true if there was any. */
  async loadMissing(): Promise<boolean> {
    const missing = [...this.#missing];
    this.#missing.clear();
    for (const [key, ask] of missing) await this.#keep(key, ask);
    return missing.length > 0;
  }

  /** What could not be answered is asked again. */
  forgetProblems(): void {
    for (const [key, told] of this.#told) if ("problem" in told) this.#told.delete(key);
  }

  /** All answers, to be sent along. */
  all(): ToldByKey {
    return Object.fromEntries(this.#told);
  }

  #ask<M extends Asked>(method: M, args: Parameters<Backend[M]>): Promise<unknown> {
    const ask = this.#backend[method] as (...args: Parameters<Backend[M]>) => Promise<unknown>;
    return ask.apply(this.#backend, args);
  }

  async #keep(key: string, ask: () => Promise<unknown>): Promise<Told> {
    let told: Told;
    try {
      told = { answer: await ask() };
    } catch (error) {
      told = { problem: (error as Error).message };
    }
    this.#told.set(key, told);
    const [oldest] = this.#told.keys();
    if (this.#told.size > KEPT) this.#told.delete(oldest);
    return told;
  }
}

/** Where the pages ask. */
export const AnswersContext = createContext<Answers | undefined>(undefined);

/** Whoever answers here. */
export function useAnswers(): Answers {
  const answers = useContext(AnswersContext);
  if (!answers) throw new Error("a page outside of the explorer");
  return answers;
}

/** What is known of an answer. */
export interface AnswerState<T> {
  readonly answer?: T;
  readonly problem?: string;
  /** Not known yet; `answer` may still be that of the question before. */
  readonly pending: boolean;
}

/** Asks the backend, and renders again when it has answered. */
export function useAnswer<M extends Asked>(
  method: M,
  ...args: Parameters<Backend[M]>
): AnswerState<Answer<M>> {
  const answers = useAnswers();
  const key = JSON.stringify([method, ...args]);
  const [loaded, setLoaded] = useState<{ readonly key: string; readonly told: Told }>();
  const known = loaded?.key === key ? loaded.told : answers.told(key, method, args);
  const before = useRef<Told>();
  if (known) before.current = known;
  useEffect(() => {
    if (known) return;
    let wanted = true;
    answers.load(key, method, args).then((told) => wanted && setLoaded({ key, told }));
    return () => {
      wanted = false;
    };
  }, [answers, key, known]);
  const shown = known ?? before.current;
  const pending = known === undefined;
  if (shown === undefined) return { pending };
  return "problem" in shown
    ? { pending, problem: shown.problem }
    : { pending, answer: shown.answer as Answer<M> };
}
