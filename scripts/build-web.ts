// Bundles the dashboard into dist/web: what `GET /` and `GET /assets/…` serve. Runs after `npm ci` and takes less than a
// second. A production install has no bundler: there it leaves alone what lies in dist/web, as an image brings it along.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { exampleRequest } from '../src/contract/example-request.ts'

const CLIENT = new URL('../src/web/client/', import.meta.url)
const WEB = new URL('../dist/web/', import.meta.url)

const { rolldown } = await import('rolldown').catch(() => process.exit(0))

const assets = new Map<string, string | Uint8Array>()

/** By its name in page.html, the address at which it is served. A new content has a new address. */
const addresses = new Map<string, string>()

for (const [name, format] of [
  ['main.tsx', 'esm'],
  ['live/shared-worker.ts', 'esm'],
  ['theme.ts', 'iife'],
] as const) {
  const bundle = await rolldown({
    cwd: new URL('.', CLIENT).pathname,
    input: name,
    platform: 'browser',
    transform: {
      target: 'es2023',
      jsx: 'react-jsx',
      define: {
        'process.env.NODE_ENV': '"production"',
        EXAMPLE_REQUEST: JSON.stringify(exampleRequest('ADDRESS', 'TIME')),
      },
    },
    logLevel: 'warn',
  })
  const { output } = await bundle.generate({ format, minify: true, entryFileNames: '[name]-[hash].js' })
  for (const chunk of output) {
    assets.set(chunk.fileName, chunk.type === 'chunk' ? chunk.code : chunk.source)
    if (chunk.type === 'chunk' && chunk.isEntry) addresses.set(`${chunk.name}.js`, `assets/${chunk.fileName}`)
  }
}

const style = readFileSync(new URL('style.css', CLIENT))
const styleName = `style-${createHash('sha256').update(style).digest('base64url').slice(0, 8)}.css`
assets.set(styleName, style)
addresses.set('style.css', `assets/${styleName}`)

rmSync(WEB, { recursive: true, force: true })
mkdirSync(new URL('assets/', WEB), { recursive: true })
for (const [name, content] of assets) {
  writeFileSync(new URL(`assets/${name}`, WEB), content)
  writeFileSync(new URL(`assets/${name}.gz`, WEB), gzipSync(content, { level: 9 }))
}
const page = readFileSync(new URL('page.html', CLIENT), 'utf8')
writeFileSync(
  new URL('page.html', WEB),
  page.replaceAll(/\{([\w-]+\.\w+)\}/g, (_, name: string) => {
    const address = addresses.get(name)
    if (address === undefined) throw new Error(`page.html asks for ${name}, which nobody built`)
    return address
  }),
)
