import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { findPushgateway } from '../../bench/servers/pushgateway.ts'
import { LONG } from '../server/long.ts'

const MAIN = new URL('../../bench/main.ts', import.meta.url).pathname
const README = new URL('../../bench/README.md', import.meta.url)

// On a disk, as the benchmarks ask for.
const root = mkdtempSync('/var/tmp/gitops-status-test-')
after(() => rmSync(root, { recursive: true, force: true }))

// A dozen starts of the same code need not compile it a dozen times.
const ENV = {
  ...process.env,
  NODE_COMPILE_CACHE: new URL('../../node_modules/.cache/compile', import.meta.url).pathname,
}

async function bench(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { ...ENV, ...env } })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const [code] = await once(child, 'close')
  return { code, stdout, stderr }
}

function hasPushgateway(): boolean {
  try {
    return findPushgateway() !== ''
  } catch {
    return false
  }
}

// These are no measurements: they are over before anything is warm.
const TINY = {
  ingest: ['--rounds', '1', '--seconds', '0.2', '--warm-up', '0.1', '--connections', '4', '--targets', '100'],
  read: ['--rounds', '1', '--seconds', '0.3', '--warm-up', '0.1', '--clients', '3', '--targets', '100', '--rate', '50'],
  fleet: ['--targets', '400', '--minutes', '0.01', '--rate', '400'],
  dashboard: ['--rounds', '1', '--targets', '100', '--many', '200', '--huge', '300'],
  look: ['--rounds', '1', '--looks', '2', '--hosts', '2', '--many-files', '30'],
  ...(LONG && { watch: ['--hosts', '1', '--edits', '1', '--without-bell', '1', '--idle', '1'] }), // Ansible, twice
}

describe('the benchmarks', { concurrency: true }, () => {
  const beside = hasPushgateway() ? [] : ['--alone']
  for (const [name, tiny] of Object.entries(TINY)) {
    it(`${name}: measures, puts the results into a document, and leaves nothing behind`, async () => {
      const directory = mkdtempSync(join(root, name))
      const document = join(root, `${name}.md`)
      writeFileSync(document, readFileSync(README))

      const { code, stdout, stderr } = await bench([
        name,
        ...tiny,
        ...beside,
        '--directory',
        directory,
        '--markdown',
        document,
      ])

      assert.equal(code, 0, stderr)
      assert.doesNotMatch(stdout + stderr, /VOID/)
      assert.match(
        stdout,
        /^\| gitops-status-server|^\| in all \| 2 |^\| from a key to the rows that match \| – \| \d|^\| 2 × 20 files, OpenSSH \||^\| with inotify \| \d/m,
      )
      assert.ok(readFileSync(document, 'utf8').includes(stdout.trim()))
      assert.deepEqual(readdirSync(directory), [])
    })
  }

  it('are all run by this test', async () => {
    const { stdout } = await bench(['--help'])
    assert.deepEqual(
      [...stdout.matchAll(/^npm run bench -- (\w+)$/gm)].map(([, name]) => name),
      [...new Set([...Object.keys(TINY), 'watch'])],
    )
  })

  it('say how to install a Pushgateway that is missing, before they start anything', async () => {
    const { code, stderr } = await bench(['ingest', '--directory', root], { PATH: '/nowhere' })
    assert.equal(code, 1)
    assert.match(
      stderr,
      /^prometheus-pushgateway is not installed: run "sudo apt-get install -y prometheus-pushgateway"/,
    )
  })

  it('refuse a rate at which a target would send the same report twice', async () => {
    const { code, stderr } = await bench(['fleet', '--targets', '100', '--rate', '200', '--directory', root])
    assert.equal(code, 64)
    assert.match(stderr, /--rate 200 must not be above --targets 100/)
  })

  it('refuse a document that has no place for the results', async () => {
    const document = join(root, 'empty.md')
    writeFileSync(document, '# Nothing\n')
    const { code, stderr } = await bench(['fleet', '--markdown', document])
    assert.equal(code, 1)
    assert.match(stderr, /has no place for the results: it must have the lines <!-- results of fleet -->/)
  })
})
