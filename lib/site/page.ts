/** The one page of a site. */
import { markup } from "../report/html.ts";

/** What the page loads, with the hashes that it has to have. */
export interface PageHashes {
  readonly app: string;
  readonly worker: string;
  readonly style: string;
  /** Of the list of all other hashes. */
  readonly hashes: string;
}

/**
 * Nothing comes from another host, and nothing runs but the site's own scripts. The worker is made of
 * the text of one of them: so it is checked, and under the same policy.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src blob:",
  "connect-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** The page as HTML; it loads everything by relative addresses, so that it may lie below any path. */
export function sitePage(title: string, hashes: PageHashes): string {
  const { app, worker, style } = hashes;
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="style.css" integrity="${style}">
<script type="module" src="app.js" integrity="${app}"></script>
</head>
<body>
<p id="notice" class="problem" role="status" hidden></p>
<div id="explorer" data-hashes="${hashes.hashes}" data-worker="${worker}">
<p class="pending">Loading. Should this stay: the page needs a script, and a web server in front of its files.</p>
</div>
</body>
</html>
`.source;
}
