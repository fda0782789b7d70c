/** Progress of downloads, one file after the other. */
import { type Progress, progress } from "./progress.ts";

const MIB = 2 ** 20;

/** Smaller files are there before a display of them is read. */
const WORTH_SHOWING = 4 * MIB;

/** Shows files as they arrive; to be told the bytes of a file that are there, of how many. */
export function showDownload(): (path: string, done: number, total: number) => void {
  const shown = new Map<string, Progress>();
  return (path, done, total) => {
    if (total < WORTH_SHOWING) return;
    let display = shown.get(path);
    if (!display) {
      display = progress({
        label: `fetching ${path}`,
        total: Math.ceil(total / MIB),
        unit: "MiB",
      });
      shown.set(path, display);
    }
    display.update(Math.floor(done / MIB));
    if (done < total) return;
    display.done();
    shown.delete(path);
  };
}
