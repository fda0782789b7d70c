import { EMPTY, type Html, markup } from "./html.ts";

/** A part of the page that the contents name. */
export interface Section {
  /** Anchor. */
  readonly id: string;
  readonly title: string;
  readonly body: Html;
}

/** What a reader can choose from. */
export interface Choices {
  readonly languages: readonly string[];
  readonly layers: readonly number[];
  /** Whether the page lists features that can be searched. */
  readonly features: boolean;
}

/** Beside the page: its sections, and what a reader chooses to see of them. */
export function contents(sections: readonly Section[], choices: Choices): Html {
  const links = sections.map(({ id, title }) =>
    markup`<li><a href="#${id}">${title}</a></li>
`
  );
  return markup`<div class="side">
<nav class="contents" aria-label="Contents"><ol>${links}</ol></nav>
${controls(choices)}</div>`;
}

/** Dead without a script, so the script shows it. */
function controls({ languages, layers, features }: Choices): Html {
  const options = (values: readonly (string | number)[]) =>
    values.map((value) => markup`<option value="${value}">${value}</option>`);

  const unless = (useful: boolean) => useful ? EMPTY : markup` hidden`;
  return markup`<div class="controls" role="search" aria-label="What to show" hidden data-needs-script>
<p${unless(languages.length > 1)}><label for="language">Language</label>
<select id="language"><option value="">all</option>${options(languages)}</select></p>
<p${unless(layers.length > 1)}><label for="layer">Layer</label>
<select id="layer"><option value="">all</option>${options(layers)}</select></p>
<p${unless(features)}><label for="search">Search features</label>
<input id="search" type="search" autocomplete="off" spellcheck="false"
 placeholder="text or 3/1948"></p>
<p id="found" role="status"></p>
<p><button type="button" id="reset" hidden>Show all</button>
<button type="button" id="unfold">Unfold all lists</button></p>
</div>`;
}
