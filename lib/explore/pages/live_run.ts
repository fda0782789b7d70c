/// <reference lib="dom" />
/** A run of the model for a visitor: one at a time, and none for a visitor who is gone. */
import { h } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { quantityText } from "../../report/numbers.ts";
import { Problem } from "./page.ts";

/** How far a run is. */
export interface RunState<T> {
  readonly running: boolean;
  /** Runs that come first. */
  readonly ahead: number;
  /** Tokens written so far. */
  readonly tokens: number;
  /** Of the last run that ended. */
  readonly result?: T;
  readonly problem?: string;
}

/** What a run tells while it lasts. */
export interface Telling {
  readonly signal: AbortSignal;
  ahead(count: number): void;
  tokens(count: number): void;
}

/** Starts runs, each in the place of the one before, and stops them. */
export interface LiveRun<T> {
  readonly state: RunState<T>;
  start(work: (telling: Telling) => Promise<T>): void;
  stop(): void;
}

const IDLE = { running: false, ahead: 0, tokens: 0 };

/** The runs of a page; they end with it. */
export function useLiveRun<T>(): LiveRun<T> {
  const [state, setState] = useState<RunState<T>>(IDLE);
  const current = useRef<AbortController>();
  const stop = useCallback(() => {
    current.current?.abort();
    current.current = undefined;
    setState((before) => ({ ...before, ...IDLE }));
  }, []);
  useEffect(() => () => current.current?.abort(), []);
  const start = useCallback((work: (telling: Telling) => Promise<T>) => {
    current.current?.abort();
    const own = current.current = new AbortController();
    const tell = (changed: Partial<RunState<T>>) => {
      if (current.current === own) setState((before) => ({ ...before, ...changed }));
    };
    setState(({ result }) => ({ ...IDLE, running: true, result }));
    work({
      signal: own.signal,
      ahead: (ahead) => tell({ ahead }),
      tokens: (tokens) => tell({ tokens, ahead: 0 }),
    }).then(
      (result) => tell({ ...IDLE, result, problem: undefined }),
      (error) => tell({ ...IDLE, problem: (error as Error).message }),
    );
  }, []);
  return { state, start, stop };
}

/** What a run is doing. */
export function RunStatus(
  { state: { running, ahead, tokens, problem }, doing }: {
    readonly state: RunState<unknown>;
    readonly doing: string;
  },
) {
  if (problem !== undefined) return h(Problem, null, problem);
  const words = !running
    ? ""
    : ahead > 0
    ? `waiting for ${quantityText(ahead, "other run")}`
    : tokens > 0
    ? `${doing}: ${quantityText(tokens, "token")}`
    : `${doing} …`;
  return h("p", { class: "status", role: "status" }, words);
}
