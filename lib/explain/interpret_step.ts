/** interpret: identified features → explanations and what they are worth (spec train-and-interpret B). */
import { join } from "node:path";
import { print } from "../cli/output.ts";
import { isFile } from "../data/file_tree.ts";
import { claimFolder } from "../data/folder_claim.ts";
import { codeHash } from "../data/manifest.ts";
import { InputError } from "../formats/input_error.ts";
import { Endpoint } from "../llm/endpoint.ts";
import { openSession, profileTable, runModel, type RunningModel } from "../session/session.ts";
import { askRun } from "./ask_run.ts";
import type { InterpretOptions } from "./options.ts";
import { planRun } from "./plan_run.ts";
import { FINISHED } from "./finished.ts";
import { prepare } from "./prepared.ts";
import { sumsUpPublished, sumUpPublished } from "./published_scores.ts";
import { MODEL_ROOMS, removeFolders, type Run, writeRun } from "./run.ts";
import { resultFolder, stagesOf, withOwnNames } from "./settings.ts";
import { checkSupported } from "./supported.ts";
import { asksSomeone, promptTexts } from "./ways_of_asking.ts";

/**
 * Does what the options say, and prints what came of it.
 *
 * @param named `[model]` and `[sparse-model]`, where they are given
 * @throws InputError for options, files, a model or an endpoint that cannot be used
 * @throws Interrupted at Ctrl-C, when what was asked is answered
 */
export async function runInterpret(
  given: InterpretOptions,
  named: readonly (string | undefined)[] = [],
): Promise<void> {
  const started = new Date();
  checkSupported(given);
  const options = withOwnNames(given, named);
  const asks = asksSomeone(options);
  if (asks && options.baseUrl === undefined) throw noEndpoint();
  using owned = new DisposableStack();
  const stop = new AbortController();
  const endpoint = asks
    ? owned.use(await Endpoint.open(options, { signal: stop.signal }))
    : undefined;
  const texts = await promptTexts(options);
  const folder = resultFolder(options);
  if (await sumsUpPublished(options, folder)) {
    owned.use(await claimFolder(folder));
    return await sumUpPublished(options, folder, started);
  }
  if (!stagesOf(options).asking) await checkThereIsSomething(options, folder);
  const session = owned.use(await openSession(options));
  owned.use(await claimFolder(folder));
  let model: Promise<RunningModel> | undefined;
  const openModel = () => model ??= runModel(session, options).then((model) => owned.use(model));
  const run: Run = { options, started, folder, session, texts, endpoint, stop, owned, openModel };

  if (options.overwrite.includes("cache")) await removeFolders(folder, ["latents", "log"]);
  const prepared = await prepare(run, await codeHash(MODEL_ROOMS));
  if (!stagesOf(options).summary) {
    await writeRun(run, prepared, "log");
    print(`${folder} has latents/ and log/`);
  } else {
    await (options.dryRun ? planRun(run, prepared) : askRun(run, prepared));
  }
  if (options.profile) print(profileTable((await session.openGpu()).gpu) ?? "");
}

/** Summing up takes a run that asked. */
async function checkThereIsSomething(options: InterpretOptions, folder: string): Promise<void> {
  if (!stagesOf(options).summary || await isFile(join(folder, FINISHED))) return;
  throw new InputError(
    `${folder} has no explanations or scores to sum up; leave --log-results out to make them, or name ` +
      `the folder of those that are there with --out-dir and --name.`,
  );
}

function noEndpoint(): InputError {
  return new InputError(
    "No language model is named; name an endpoint with --base-url, such as " +
      "https://openrouter.ai/api/v1 or http://127.0.0.1:8080/v1, and a model with --explainer-model, or " +
      "see with --dry-run what would be asked.",
  );
}
