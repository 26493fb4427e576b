import { readdirSync, readFileSync } from 'node:fs'

/** A file of the dashboard. Its name holds a digest of its content, so it never changes. */
export interface Asset {
  readonly type: string
  readonly body: Buffer
  readonly gzipped: Buffer
}

export interface Dashboard {
  /**
   * The page.
   *
   * @param base Where the product begins, seen from the address of the page: `./`, `../../`. So it works below any path
   * that a proxy puts before it, and nobody has to tell us which.
   */
  page(base: string): string
  readonly assets: ReadonlyMap<string, Asset>
}

/**
 * Only what this server itself serves may run, and no text of a report can become more than text. What is drawn is
 * placed by scripts, which is no inline style to this.
 */
export const DASHBOARD_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:', // the icon of the tab
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
}

/** What `scripts/build-web.ts` built; null when nobody has. */
export function readDashboard(directory: URL): Dashboard | null {
  let html: string
  try {
    html = readFileSync(new URL('page.html', directory), 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
  const folder = new URL('assets/', directory)
  const read = (name: string) => readFileSync(new URL(name, folder))
  const assets = readdirSync(folder)
    .filter((name) => !name.endsWith('.gz'))
    .map((name) => [name, { type: typeOf(name), body: read(name), gzipped: read(`${name}.gz`) }] as const)
  return { page: (base) => html.replace('{base}', base), assets: new Map(assets) }
}

function typeOf(name: string): string {
  return TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream'
}
