import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { builtFiles, DEFAULT_STATUS_PAGE } from './built-files.ts'
import { statusPageIn } from './status-page.ts'

/**
 * Builds what Grafana reads: `npm run grafana` into `grafana/`, where it is committed;
 * `npm run grafana -- --status-page https://status.example.org --to DIRECTORY` with links of your own, elsewhere.
 */
const { values } = parseArgs({
  options: {
    'status-page': { type: 'string', default: DEFAULT_STATUS_PAGE },
    to: { type: 'string', default: new URL('..', import.meta.url).pathname },
  },
})
const statusPage = statusPageIn(values['status-page'])
if (statusPage === null) {
  console.error(`--status-page: ${JSON.stringify(values['status-page'])} is no http:// or https:// address`)
  process.exit(2)
}
for (const [path, text] of builtFiles({ statusPage })) {
  const file = resolve(values.to, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}
