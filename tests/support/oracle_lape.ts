/** Results of identify as files, from the oracle's counts. */
import { join } from "node:path";
import { writeAtomic } from "../../lib/data/files.ts";
import { toLapeJson } from "../../lib/lape/lape_json.ts";
import { identifyLape } from "../../lib/lape/identify_neurons.ts";
import { identifySaeLape } from "../../lib/lape/identify_sae.ts";
import { oracleCounts } from "./oracle_counts.ts";

/**
 * Writes the features of the oracle's option set `rate_0.5` as `lape.json`, and its neurons as
 * `neurons/lape.json`, where steps look for them in an output folder.
 */
export async function writeOracleLape(outDir: string): Promise<void> {
  const [sae, neurons] = [oracleCounts("shared", "sae"), oracleCounts("shared", "neurons")];
  const latents = toLapeJson(identifySaeLape(sae, { exampleRate: 0.5 }), sae);
  await writeAtomic(join(outDir, "lape.json"), JSON.stringify(latents));
  const gates = toLapeJson(identifyLape(neurons), neurons);
  await writeAtomic(join(outDir, "neurons/lape.json"), JSON.stringify(gates));
}
