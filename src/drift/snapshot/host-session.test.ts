import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { itTakesLong } from '../../../test/server/long.ts'
import { hostAgent } from '../ansible-parts.ts'
import { type Bell, type HostSession, openHost } from './host-session.ts'

const ACCESS = {
  ...{ host: '192.0.2.1', port: null, user: null, keyFile: null },
  ...{ sshArgs: [], python: null, become: null },
}
const NOTHING = { paths: [], listings: [] }
const QUIET = { changed: false, why: null }

// What a host says that somebody has taken over; the real way over ssh is tried in test/looks/. After the answers to
// "ready" and to the question of the bell, each line of the script is one thing that it says by itself.
const HOST = `
import hashlib, json, os, sys, time
left = int(os.environ["AGENT_LENGTH"])
while left:
    left -= len(os.read(0, min(left, 65536)))
lines = os.fdopen(0, "r")
nonce = lines.readline().strip()
def say(number, value):
    text = value if isinstance(value, str) else json.dumps(value)
    data = text.encode()
    sys.stdout.buffer.write(("gitops-status:%s:%d:%d:%s\\n" % (nonce, number, len(data), hashlib.sha256(data).hexdigest())).encode() + data + b"\\n")
    sys.stdout.buffer.flush()
say(0, {"ready": 1})
lines.readline()
for number, value, times in json.loads(os.environ["SAYS"]):
    for _ in range(times):
        say(number, value)
for line in lines:
    pass
`

describe('a host that rings', () => {
  let directory: string
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'host-session-'))
    writeFileSync(join(directory, 'host.py'), HOST)
    writeFileSync(join(directory, 'ssh'), `#!/bin/sh\nexec python3 ${directory}/host.py\n`, { mode: 0o755 })
  })
  after(() => rmSync(directory, { recursive: true }))

  type Says = readonly (readonly [number: number, value: unknown, times: number])[]

  async function ringing(says: Says) {
    const session = await openHost(
      ACCESS,
      {
        ssh: { knownHostsFile: '/dev/null', hasKnownHostsCommand: true, configured: { first: '', last: '' } },
        env: {
          PATH: `${directory}:${process.env.PATH}`,
          AGENT_LENGTH: String(Buffer.byteLength(hostAgent())),
          SAYS: JSON.stringify(says),
        },
        cwd: directory,
      },
      30_000,
    )
    if ('error' in session) throw new Error(session.error.message)
    const bells: Bell[] = []
    const answer = await session.watch(NOTHING, (bell) => bells.push(bell), 30_000)
    return { session, answer, bells }
  }

  async function ended(session: HostSession): Promise<string> {
    await new Promise<void>((resolve) => session.onEnd(resolve))
    return `${session.ended?.code}: ${session.ended?.message}`
  }

  it('is heard, with the reason why not everything rings', async () => {
    const says: Says = [
      [1, QUIET, 1],
      [1, { changed: true, why: 'No space left\u001b[2J on device' }, 1],
      [1, 'the end', 1],
    ]
    const { session, answer, bells } = await ringing(says)
    await ended(session)
    assert.deepEqual(answer, { isChanged: false, why: null })
    assert.deepEqual(bells, [{ isChanged: true, why: 'No space left on device' }])
  })

  const WRONG: Record<string, Says> = {
    'no JSON': [[1, 'x', 1]],
    'no bell': [[1, { changed: 'yes', why: null }, 1]],
    'a reason that is none': [[1, { changed: true, why: 7 }, 1]],
    'an answer that nobody asked for': [[7, QUIET, 1]],
    'more than a bell needs': [[1, { changed: true, why: 'x'.repeat(5_000) }, 1]],
    'a bell without end': [[1, { changed: true, why: null }, 5_000]],
  }
  for (const [what, says] of Object.entries(WRONG)) {
    it(`ends with answer_invalid when it sends ${what}`, async () => {
      const { session } = await ringing([[1, QUIET, 1], ...says])
      assert.match(await ended(session), /^answer_invalid: /)
    })
  }

  itTakesLong('ends when it gives no sign of life any more', async () => {
    const { session } = await ringing([[1, QUIET, 1]])
    assert.match(await ended(session), /^timeout: .*no sign of life/)
  })
})
