/** Rows of data sets: JSON lines, CSV, TSV and text. */
import { memorySource } from "../../../lib/formats/byte_source.ts";
import { readRows } from "../../../lib/data/row_files.ts";
import { utf8 } from "../bytes.ts";
import { type Target, WHERE } from "../target.ts";
import { mutateText } from "../text.ts";

/** Every format of rows that is text, each with its seeds. */
export const rowTargets: readonly Target[] = [
  rowTarget("jsonl", 10, [
    '{"text": "one", "id": 1}\n{"id": 2, "text": "two \\u00e9"}\n\n{"text": "three"}\n',
    '{"text": ["a", {"b": null}], "label": true}',
  ]),
  rowTarget("csv", 3, [
    'text,label\n"a, ""b""",1\nc,2\n',
    "text,text2,__proto__\n1,2,3\n",
  ]),
  rowTarget("tsv", 1, ["text\tlabel\na\t1\n"]),
  rowTarget("txt", 6, ["one\ntwo\r\n\nthree"]),
];

function rowTarget(extension: string, share: number, seeds: readonly string[]): Target {
  const where = `${WHERE}.${extension}`;
  return {
    name: extension,
    share,
    seeds: () => Promise.resolve(seeds.map(utf8)),
    mutate: mutateText,
    async read(bytes) {
      const file = { where, open: () => Promise.resolve(memorySource(bytes)) };
      const query = { columns: ["text"], begin: 0, end: Infinity };
      for await (const _ of readRows([file], query));
    },
  };
}
