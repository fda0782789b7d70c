/** The front matter of a data set's README, and the files that its patterns choose. */
import { findDataFiles } from "../../../lib/data/data_files.ts";
import { declaredConfigs } from "../../../lib/data/front_matter.ts";
import { utf8 } from "../bytes.ts";
import { type Target, WHERE } from "../target.ts";
import { mutateText } from "../text.ts";

/** README.md of a data set. */
export const readme: Target = {
  name: "readme",
  share: 6,
  seeds: () => Promise.resolve([utf8(XNLI), utf8(WILI)]),
  mutate: mutateText,
  // deno-lint-ignore require-await
  async read(bytes) {
    const declared = declaredConfigs(new TextDecoder().decode(bytes));
    const names = declared.slice(0, 5).map(({ name }) => name);
    for (const name of ["en", ...names]) {
      findDataFiles({
        paths: PATHS,
        declared,
        configs: [name],
        split: "train",
        labelled: false,
        formats: "several",
        where: WHERE,
      });
    }
  },
};

const PATHS = [
  "README.md",
  "en/train-00000-of-00001.parquet",
  "en/test-00000-of-00001.parquet",
  "data/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.parquet",
];

const XNLI = `---
license: cc
# a comment
configs:
- config_name: en
  default: true
  data_files:
  - split: train
    path: en/train-*
  - split: "test"
    path: ['en/test-*', "x"]
- config_name: fr
  data_files: fr/*.parquet
---
# Text
`;

const WILI = `---\r
configs:\r
  - config_name: default\r
    data_files:\r
      - split: train\r
        path:\r
          - "data/**/train-*.parquet" # first\r
          - data/a*\r
---\r
`;
