import { createHash } from 'node:crypto'

// Contrast of every pair is at least 4.5:1, light and dark. Colour is never the only sign: each status has its own
// icon and word.
export const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --dim: #57606a; --paper: #fff; --line: #d0d7de; --ok: #116329; --drift: #a40e26; --unknown: #7a4400 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --dim: #9198a1; --paper: #0d1117; --line: #30363d; --ok: #56d364; --drift: #ff7b72; --unknown: #e3b341 } }
body { margin: 0 auto; max-width: 75rem; padding: 1.5rem 1rem; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif }
h1 { margin: 0; font-size: 1.25rem }
p { margin: .25rem 0 1rem }
.wide { overflow-x: auto }
table { width: 100%; border-collapse: collapse }
th, td { padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; overflow-wrap: anywhere }
th { color: var(--dim); font-weight: 600; white-space: nowrap }
td:nth-child(2), td:nth-child(3) { min-width: 10rem }
ul { margin: 0; padding: 0; list-style: none }
code, pre { font: .875rem/1.5 ui-monospace, monospace; overflow-wrap: anywhere }
pre { padding: 1rem; border: 1px solid var(--line); white-space: pre-wrap }
code bdi { direction: ltr; white-space-collapse: preserve }
.hidden-char { margin: 0 .1em; padding: 0 .25em; border: 1px solid; border-radius: 3px; font: .75em ui-monospace, monospace }
small { color: var(--dim) }
.SYNCED { color: var(--ok); font-weight: 600 }
.OUT_OF_SYNC { color: var(--drift); font-weight: 600 }
.UNKNOWN { color: var(--unknown); font-weight: 600 }
.SYNCED, .OUT_OF_SYNC, .UNKNOWN, time { white-space: nowrap }
.why { display: block; max-width: 20rem }
@media (max-width: 45rem) {
  thead { display: none }
  tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line) }
  td, td:nth-child(n) { display: flex; min-width: 0; gap: .75rem; padding: .125rem 0; border: 0 }
  td::before { content: attr(data-label); flex: 0 0 6rem; color: var(--dim) }
}
`

/** Nothing may run, nothing may be loaded, nobody may frame it; only this style, known by its hash. */
export const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')
