import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { type BlameQuestion, judgeBlame, modifiedBy } from '../../src/drift/blame/blame.ts'
import { parseBlameEvidence } from '../../src/drift/blame/blame-evidence.ts'
import { type LabServer, startLabServer } from '../lab/lab-server.ts'
import { keepLog, logIn } from '../lab/logins.ts'

const COLLECTOR = readFileSync(new URL('../../ansible/agent/gitops_status_blame.py', import.meta.url), 'utf8')

describe('blame on a real server', () => {
  it('tells who it was by the journal, su, SSH keys and packages, whatever users write into the log', async (t) => {
    await using server = await startLabServer({ name: 'web-1' })
    if (!server.canChown) return t.skip('needs root on this machine, for accounts on the server')
    await keepLog(server)

    let clean = await seconds(server)
    await logIn(server, 'bob', FORGE)
    await logIn(server, 'alice', "su -c 'echo x >>/etc/rsyslog.conf'")
    assert.equal(await blame(server, clean), 'alice (su, medium)')

    clean = await seconds(server)
    await logIn(server, 'root', 'echo x >>/etc/rsyslog.conf; sleep 0.1')
    await logIn(server, 'bob', FORGE)
    const key = await server.run('ssh-keygen -lf /run/sshd/authorized_keys')
    const fingerprint = key.stdout.split(' ')[1] ?? ''
    assert.equal(await blame(server, clean), `root by key ${fingerprint.slice(0, 19)}… (ssh, medium)`)
    assert.equal(await blame(server, clean, { people: new Map([[fingerprint, 'Carol']]) }), 'Carol (ssh, medium)')

    // As a cron job or a daemon would, without a word in any log.
    clean = await seconds(server)
    await server.run('echo x >>/etc/rsyslog.conf')
    assert.equal(await blame(server, clean), null)

    clean = await seconds(server)
    await server.run(PACKAGE)
    assert.equal(await blame(server, clean, {}, '/etc/lab-package.conf'), 'dpkg (dpkg lab-package, medium)')
  })

  it('names nobody that only the text of a log names, where there is no journal', async (t) => {
    await using server = await startLabServer({ name: 'web-1' })
    if (!server.canChown) return t.skip('needs root on this machine, for accounts on the server')
    await keepLog(server, 'rsyslog')

    const clean = await seconds(server)
    await logIn(server, 'bob', FORGE)
    await server.run('echo x >>/etc/rsyslog.conf')
    await server.run('until grep -q FORGED /var/log/auth.log; do sleep 0.02; done')

    assert.equal(await blame(server, clean), 'alice (sudo, low)')
  })
})

const FORGE = [
  'logger -t sudo -p authpriv.notice "   alice : TTY=pts/9 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/vi /etc/rsyslog.conf"',
  `logger -t sshd -p auth.info "Accepted publickey for root from 10.9.9.9 port 5 ssh2: ED25519 SHA256:${'F'.repeat(43)}"`,
  'logger -t sudo -p authpriv.notice FORGED',
].join('; ')

const PACKAGE = `
  mkdir -p /tmp/package/DEBIAN /tmp/package/etc
  printf 'Package: lab-package\\nVersion: 1\\nArchitecture: all\\nMaintainer: lab\\nDescription: lab\\n' >/tmp/package/DEBIAN/control
  echo x >/tmp/package/etc/lab-package.conf
  dpkg-deb -b /tmp/package /tmp/package.deb && dpkg -i /tmp/package.deb`

async function seconds(server: LabServer): Promise<number> {
  return Number((await server.run('date +%s.%N')).stdout)
}

async function blame(
  server: LabServer,
  after: number,
  question: Partial<BlameQuestion> = {},
  path = '/etc/rsyslog.conf',
): Promise<string | null> {
  await server.run('[ ! -e /run/log/journal ] || journalctl --sync')
  const before = await seconds(server)
  const encoded = Buffer.from(path).toString('base64')
  const request = JSON.stringify({ format: 1, paths: [encoded], after, before })
  const { stdout, stderr } = await server.run('python3 -I -c "$1"', { args: [COLLECTOR], input: request })
  const evidence = parseBlameEvidence(stdout, [encoded])
  assert.ok(evidence, stderr)
  const window = { after, before, clockHeld: true, linksAtStart: 1 }
  const found = judgeBlame(evidence, {
    file: 0,
    change: 'modified',
    window,
    people: new Map(),
    ownChecks: [],
    deploys: [],
    live: null,
    ...question,
  })
  return found && modifiedBy(found)
}
