/** A run that asks, or sums up what was asked before. */
import { print, remark } from "../cli/output.ts";
import { Interrupted, onInterrupt } from "../cli/run.ts";
import { codeHash } from "../data/manifest.ts";
import { Finished } from "./finished.ts";
import { openJudges } from "./judges.ts";
import type { Prepared } from "./prepared.ts";
import { missing, summaryTables } from "./printed.ts";
import { explainAll, type Questioning, scoreAll } from "./questioning.ts";
import { ASKING_ROOMS, hasResults, type Run, writeRun } from "./run.ts";
import type { Judges } from "./score_latents.ts";
import { openSelected } from "./selected_examples.ts";
import { stagesOf } from "./settings.ts";
import { askedBy, waysOfAsking } from "./ways_of_asking.ts";
import { writeFindings } from "../interpret/results/written_results.ts";

const INTERRUPTED =
  "Interrupted; what was answered is kept, and is not asked again when the same command is run.";

/** Asks for explanations and scores, writes and prints what came of it. */
export async function askRun(run: Run, prepared: Prepared): Promise<void> {
  const { options, folder, endpoint, stop, owned } = run;
  const { asking } = stagesOf(options);
  const judges = await openJudges(
    run,
    asking ? askedBy(options) : [],
    await codeHash(ASKING_ROOMS),
  );
  const { selected, load } = await openSelected(
    run,
    asking ? prepared : withoutVectors(prepared),
    endpoint && judges.embedder,
  );
  const finished = owned.use(await Finished.open(folder, !asking));
  const questioning: Questioning = {
    ...{ options, folder, judges, finished, load },
    ...waysOfAsking(options, run.texts, selected.identified),
    signal: stop.signal,
    use: () => endpoint?.use(),
  };
  using _interrupt = onInterrupt(() => stop.abort(new Interrupted(INTERRUPTED)));
  const explained = await explainAll(selected, questioning);
  const scored = await scoreAll(explained, questioning);
  const keepsRun = !asking && await hasResults(run);
  const { summary, failures } = await writeFindings(folder, { selected, explained, scored });
  const unasked = failures.unasked.length;
  await writeRun(run, prepared, keepsRun ? "log" : "", {
    latents: { identified: selected.identified.length, random: selected.random.length },
    complete: unasked === 0,
    use: endpoint?.use() ?? null,
  });

  if (options.verbose) {
    print(summaryTables(summary));
    for (const sentence of missing(failures)) print(sentence);
  }
  print(
    `\n${folder} has explanations/, prompts/, scores/, controls/, explanations.csv, scores.csv, ` +
      "summary.json, failures.json, run.json",
  );
  if (unasked > 0) remark(unfinished(judges, unasked));
}

/** To sum up, no example is looked at, and nobody is there to tell which texts are alike. */
function withoutVectors(prepared: Prepared): Prepared {
  return { ...prepared, examples: { ...prepared.examples, nonActivatingSource: "random" } };
}

function unfinished({ asking: { spent } }: Judges, count: number): string {
  const [why, how] = spent
    ? [spent.message, "the same command with a larger budget"]
    : ["Nobody was asked.", "the same command without --log-results"];
  const parts = count === 1 ? "1 explanation or score is" : `${count} explanations or scores are`;
  return `${why} ${parts} missing; what is there is kept, and ${how} goes on from here.`;
}
