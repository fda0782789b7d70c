/** What visitors are told when something goes wrong: what they can mend, and no more. */
import { remark } from "../../cli/output.ts";
import type { Backend } from "../backend.ts";

/** Errors whose message is for whoever asked. */
const FOR_VISITORS = ["InputError", "GpuError", "QueueFull"];

/** A defect or a failure of the machine; the terminal has the rest. */
export class ServerProblem extends Error {
  override readonly name = "ServerProblem";
}

/** The backend with errors that may be shown. */
export function visitorBackend(backend: Backend): Backend {
  const told = async <T>(answer: () => Promise<T>): Promise<T> => {
    try {
      return await answer();
    } catch (error) {
      throw visitorError(error);
    }
  };
  return {
    overview: () => told(() => backend.overview()),
    features: (query) => told(() => backend.features(query)),
    feature: (...of) => told(() => backend.feature(...of)),
    contexts: (...of) => told(() => backend.contexts(...of)),
    article: (...of) => told(() => backend.article(...of)),
    tryText: (...of) => told(() => backend.tryText(...of)),
    steer: (...of) => told(() => backend.steer(...of)),
  };
}

function visitorError(error: unknown): Error {
  if (error instanceof Error && FOR_VISITORS.includes(error.name)) return error;
  if (error instanceof DOMException && error.name === "AbortError") return error;
  remark(error instanceof Error ? error.stack ?? String(error) : String(error));
  return new ServerProblem(
    "Something went wrong here; the terminal in which the explorer runs says what.",
  );
}
