/** A dry run: every prompt and an estimate of the cost, without asking anyone. */
import { join } from "node:path";
import { print } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import { writeManifest } from "../data/manifest.ts";
import { chatPrices, embeddingPrices } from "../llm/options.ts";
import {
  expectedExplanation,
  planExplanations,
  type PlannedPart,
  planScores,
} from "./planned_prompts.ts";
import type { Prepared } from "./prepared.ts";
import { planTable } from "./printed.ts";
import { latentsInGroups, scoringJobs } from "./questioning.ts";
import { removeFolders, type Run, writeRun } from "./run.ts";
import { openSelected } from "./selected_examples.ts";
import { waysOfAsking } from "./ways_of_asking.ts";

/** Folder of what a dry run writes, in that of the results. */
const DRY_RUN = "dry_run";

/** Writes every prompt and says what they would cost. */
export async function planRun(run: Run, prepared: Prepared): Promise<void> {
  const { options, folder } = run;
  const { selected, load } = await openSelected(run, prepared, undefined);
  const { explainer, scorers } = waysOfAsking(options, run.texts, selected.identified);
  const latents = latentsInGroups(selected);
  const expected = latents.map((item) =>
    ({ ...item, kind: "explained", text: expectedExplanation(item) }) as const
  );
  const jobs = scoringJobs(expected, options, scorers);
  const scores = jobs.reduce((sum, { scorables }) => sum + scorables.length, 0);
  const total = scores + (explainer ? latents.length : 0);
  const shown = progress({ label: "planning", total, unit: "parts" });
  let count = 0;
  const plan = {
    ...{ folder: join(folder, DRY_RUN), load },
    chatPrices: chatPrices(options),
    embeddingPrices: embeddingPrices(options),
    done: () => shown.update(++count),
  };
  await removeFolders(folder, [DRY_RUN]);
  const parts: PlannedPart[] = explainer ? await planExplanations(latents, explainer, plan) : [];
  for (const { scorables, scorer } of jobs) {
    parts.push(...await planScores(scorables, scorer, plan));
  }
  shown.done();
  await writeManifest(join(folder, DRY_RUN, "estimate.json"), { parts });
  await writeRun(run, prepared, DRY_RUN);
  print(planTable(parts));
  print(`\n${join(folder, DRY_RUN)} has every prompt and estimate.json; nobody was asked.`);
}
