import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { missingTools } from '../../scripts/install-tools.ts'
import { codeBlocks } from './code-blocks.ts'
import { everyBlock, goneBlocks } from './documents.ts'
import type { Outcome } from './walk-through.ts'
import { CLUSTER } from './world.ts'

describe('the code blocks of a document', () => {
  it('are found with their language and place, also inside a list', () => {
    const text = '# A\n\n```sh\na\n```\n\n1. b\n\n   ```json\n   {}\n\n   ```\n~~~\n```\n~~~\n'
    assert.deepEqual(
      codeBlocks('x.md', text).map(({ line, language, text }) => [line, language, text]),
      [
        [4, 'sh', 'a'],
        [10, 'json', '{}\n'],
        [14, '', '```'],
      ],
    )
  })

  it('are still all there that are run', () => assert.deepEqual(goneBlocks(), []))

  it('are an error when one is never closed', () => {
    assert.throws(() => codeBlocks('x.md', '```sh\na\n'), /x\.md:1: the block is never closed/)
  })
})

// The cluster is a stand-in in two things: its names stand in /etc/hosts, and kubectl shows our server's log. The
// server, the lab, Ansible, Git, the Pushgateway and Prometheus are real. Woodpecker's and Grafana's own pages have no
// commands, and no tests here.
describe('every code block of README, guide and move', { skip: whyNot() }, () => {
  const outcomes = new Map<string, Outcome>()
  let problems = ''
  const directory = mkdtempSync(join(tmpdir(), 'gitops-status-walk-'))

  before(async () => {
    const hosts = join(directory, 'hosts')
    const names = ['gitops-status-server', 'pushgateway'].map((name) => `${name}.${CLUSTER}`)
    writeFileSync(hosts, `127.0.0.1 localhost ${names.join(' ')}\n`)
    const main = fileURLToPath(new URL('walk-through.ts', import.meta.url))
    const child = spawn(
      'unshare',
      [
        ...['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '/bin/sh', '-c', ENTER],
        ...['sh', hosts, process.execPath, main],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NODE_TEST_CONTEXT: undefined } },
    )
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      problems += text
    })
    await once(child, 'close')
    for (const line of output.split('\n').filter((text) => text !== '')) {
      const outcome = JSON.parse(line) as Outcome // walk-through.ts printed it
      outcomes.set(outcome.name, outcome)
    }
  })
  after(() => rmSync(directory, { recursive: true }))

  for (const { name, treatment, block } of everyBlock()) {
    if (treatment.kind === 'elsewhere') it(`${name}: not run here, since ${treatment.reason}`, () => {})
    else if (treatment.kind === 'picture') it(`${name}: a picture`, () => assert.equal(block.language, 'text'))
    else if (treatment.kind === 'unknown') {
      it(name, () => assert.fail('nothing runs this block: test/docs/documents.ts wants a line that says what it is'))
    } else {
      it(name, () => {
        const outcome = outcomes.get(name)
        assert.ok(outcome, `it was never reached: ${problems}`)
        assert.equal(outcome.error, null, outcome.error ?? '')
      })
    }
  }
})

/** The loopback of a new network namespace is down; `ip` is not everywhere, and Ansible's Python is. */
const ENTER = `
set -eu
mount --bind "$1" /etc/hosts
python3 -c 'import fcntl, socket, struct
SIOCSIFFLAGS, UP_AND_RUNNING = 0x8914, 0x41
fcntl.ioctl(socket.socket(), SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", UP_AND_RUNNING))'
shift
exec "$@"
`

function whyNot(): string | false {
  if (process.getuid?.() !== 0) return 'needs root on this machine, for ports and names of its own'
  const needed = ['ansible-playbook', 'ssh', 'sshd', 'curl', 'promtool', 'prometheus-pushgateway']
  const missing = missingTools('test').flatMap(({ command }) => (needed.includes(command) ? [command] : []))
  return missing.length > 0 && `missing: ${missing.join(', ')}`
}
