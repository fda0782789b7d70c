/** A backend over a folder of results. */
import { InputError } from "../formats/input_error.ts";
import { identifiedFeatures } from "../identify/lape_result.ts";
import type { RunOptions } from "../session/options.ts";
import { openSession } from "../session/session.ts";
import type { Backend } from "./backend.ts";
import { IndexBackend } from "./index/index_backend.ts";
import { openExplorerIndex } from "./index/open_explorer_index.ts";
import { readResults } from "./index/results.ts";
import { LiveModel } from "./live/live_model.ts";

/** Answers over results, as long as it is not disposed of. */
export interface OpenExplorer extends Disposable {
  readonly backend: Backend;
}

/**
 * Opens results, those of `--out-dir`; identify makes them where there are none, and the index is built
 * where there is none.
 *
 * @param live whether the model may be run, else why not, in a sentence
 * @throws InputError for results that cannot be used
 */
export async function openExplorer(
  options: RunOptions,
  live: true | string,
): Promise<OpenExplorer> {
  const features = await identifiedFeatures(options, "latents");
  const results = await readResults(options.outDir, features);
  using undo = new DisposableStack();
  const session = undo.use(await openSession({ ...results.options, ...options }));
  const database = await openExplorerIndex(results, session, options);
  undo.defer(() => database.close());
  const recorded = new IndexBackend(database, live);
  const largest = (layer: number, index: number) => recorded.largest(layer, index);
  const model = live === true
    ? undo.use(new LiveModel(session, features, largest, options))
    : undefined;
  const owned = undo.move();
  return {
    backend: answering(recorded, model, String(live)),
    [Symbol.dispose]: () => owned[Symbol.dispose](),
  };
}

function answering(recorded: IndexBackend, model: LiveModel | undefined, why: string): Backend {
  const refused = () => Promise.reject(new InputError(why));
  return {
    overview: () => recorded.overview(),
    features: (query) => recorded.features(query),
    feature: (...of) => recorded.feature(...of),
    contexts: (...of) => recorded.contexts(...of),
    article: (...of) => recorded.article(...of),
    tryText: (...of) => model?.tryText(...of) ?? refused(),
    steer: (...of) => model?.steer(...of) ?? refused(),
  };
}
