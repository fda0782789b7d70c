/** The adapter that GPU tests run on. */
import { bringUpAdapter, type BroughtUpAdapter } from "../../lib/cli/adapter.ts";

let broughtUp: Promise<BroughtUpAdapter> | undefined;

/** The machine's adapter, brought up once. No adapter is a failure of the test, never a skip. */
export function testAdapter(): Promise<BroughtUpAdapter> {
  broughtUp ??= bringUpAdapter({ quiet: true });
  return broughtUp;
}
