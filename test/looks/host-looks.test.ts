import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { hostAgent } from '../../src/drift/ansible-parts.ts'
import type { HostAccess } from '../../src/drift/snapshot/host-access.ts'
import { type HostLooks, lookAtAll, openHostLooks } from '../../src/drift/snapshot/host-looks.ts'
import { type HostOptions, type HostSession, openHost } from '../../src/drift/snapshot/host-session.ts'
import type { Watched } from '../../src/drift/snapshot/host-snapshot.ts'
import { type Lab, type LabServer, startLab } from '../lab/lab-server.ts'
import { base64, errorOf, factsOf, looksIn, snapshotOf, watching } from './looks.ts'

const DEADLINES = { connectMs: 30_000, lookMs: 30_000 }
const NOTHING = watching([])

let lab: Lab
let directory: string
let options: HostOptions
let accessTo: (server: LabServer, other?: Partial<HostAccess>) => HostAccess
/** Keeps its files and its connection through all tests. */
let web1: LabServer
/** Something is done to it in each test that uses it. */
let web2: LabServer
let web3: LabServer
let looks: HostLooks

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'looks-'))
  lab = await startLab({ servers: ['web1', 'web2', 'web3'] })
  ;[web1, web2, web3] = lab.servers as [LabServer, LabServer, LabServer]
  ;({ options, accessTo } = looksIn(lab, directory))
  looks = openHostLooks(options)
})
after(async () => {
  looks?.close()
  await lab?.stop()
  rmSync(directory, { recursive: true, force: true })
})

const lookAt = (server: LabServer, watched: Watched, other: Partial<HostAccess> = {}) =>
  looks.lookAt({ name: server.name, access: accessTo(server, other), watched }, DEADLINES)

async function opened(access: HostAccess): Promise<HostSession & Disposable> {
  const session = await openHost(access, options, DEADLINES.connectMs)
  if ('error' in session) throw new Error(`${session.error.code}: ${session.error.message}`)
  return {
    get ended() {
      return session.ended
    },
    look: session.look,
    evidence: session.evidence,
    watch: session.watch,
    onEnd: session.onEnd,
    close: session.close,
    [Symbol.dispose]: session.close,
  }
}

describe('what a look sees', () => {
  it('tells of each path what the server itself tells', async () => {
    await web1.run(`mkdir /etc/kinds; cd /etc/kinds; printf hello >file; chmod 4751 file; ln file second
      ln -s ../shadow link; ln -s nowhere dangling; mkfifo fifo; mkdir -m 700 dir; : >empty; touch -d @-5.25 empty
      python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'`)
    const names = ['file', 'link', 'dangling', 'fifo', 'dir', 'empty', 'socket'].map((name) => `/etc/kinds/${name}`)
    const nowhere = ['/etc/kinds/absent', '/etc/kinds/absent/below', '/etc/kinds/file/below']

    const result = await lookAt(web1, watching([...names, '/dev/null', ...nowhere]))

    const kinds = [...names, '/dev/null', ...nowhere].map((path) => factsOf(result, path).kind)
    assert.deepEqual(kinds, [
      ...['file', 'link', 'link', 'fifo', 'directory', 'file', 'socket', 'device'],
      ...['missing', 'missing', 'missing'],
    ])
    for (const path of names) {
      const { stdout } = await web1.run(`stat -c '%a %U %G %u %g %i %d %.9Y %.9Z' "$1"`, { args: [path] })
      const facts = factsOf(result, path)
      assert('mtime' in facts)
      const { mode, owner, group, uid, gid, inode, device, mtime, ctime } = facts
      const seconds = (time: bigint) => (time < 0n ? '-' : '') + asSeconds(time < 0n ? -time : time)
      assert.equal(
        [Number(mode), owner, group, uid, gid, inode, device, seconds(mtime), seconds(ctime)].join(' '),
        stdout.trim(),
        path,
      )
    }
    const file = factsOf(result, '/etc/kinds/file')
    assert(file.kind === 'file')
    assert.deepEqual([file.size, file.links], [5n, 2])
    assert.deepEqual([file.sha256, file.sha1], [hashOf('sha256', 'hello'), hashOf('sha1', 'hello')])
    const link = factsOf(result, '/etc/kinds/link')
    assert.equal('target' in link && link.target, base64('../shadow'))
  })

  it("tells the server's clocks, and its boot", async () => {
    const { clock } = snapshotOf(await lookAt(web1, NOTHING))
    const { stdout } = await web1.run('date +%s%N; cat /proc/sys/kernel/random/boot_id /proc/uptime')
    const [realtime, bootId, uptime] = stdout.split('\n')

    assert.equal(clock.bootId, bootId)
    assert(clock.realtime < BigInt(realtime ?? 0) && clock.realtime > BigInt(realtime ?? 0) - 60_000_000_000n)
    assert(Number(clock.boottime / 1_000_000n) / 1_000 <= Number(uptime?.split(' ')[0]) + 1)
  })

  it('loses no byte of a name', async () => {
    const bytes = Array.from({ length: 255 }, (_, index) => index + 1).filter((byte) => byte !== 0x2f)
    const names = [...bytes.map((byte) => Buffer.from([0x61, byte])), Buffer.from(bytes)]
    const paths = names.map((name) => Buffer.concat([Buffer.from('/etc/bytes/'), name]))
    await web1.run('mkdir /etc/bytes; for name; do printf x >"$name"; done', { args: paths })

    const result = await lookAt(web1, watching(paths, ['/etc/bytes']))

    for (const path of paths) assert.equal(factsOf(result, path).kind, 'file', path.toString('hex'))
    const listing = snapshotOf(result).listings.get(base64('/etc/bytes'))
    assert.deepEqual(listing, { kind: 'entries', entries: names.map((name) => `f${base64(name)}`).sort() })
  })

  it('lists what lies in a directory and below it, and what each entry is', async () => {
    await web1.run(
      'mkdir -p /etc/tree/a/b; cd /etc/tree; : >.hidden; : >a/b/f; ln -s /etc a/etc; mkfifo p; ln -s a link',
    )
    const listings = [
      { path: base64('/etc/tree/'), recurse: true },
      { path: base64('/etc/tree'), recurse: false },
      ...['/etc/tree/link', '/etc/tree/absent', '/etc/tree/p'].map((path) => ({ path: base64(path), recurse: true })),
    ]

    const found = snapshotOf(await lookAt(web1, { paths: [], listings })).listings

    const entries = (...names: string[]) => ({
      kind: 'entries',
      entries: names.map((name) => `${name[0]}${base64(name.slice(2))}`).sort(),
    })
    assert.deepEqual(
      listings.map(({ path }) => found.get(path)),
      [
        entries('f .hidden', 'd a', 'd a/b', 'f a/b/f', 'l a/etc', 'p p', 'l link'),
        entries('f .hidden', 'd a', 'p p', 'l link'),
        // Behind it lies another directory, of which nobody asked.
        { kind: 'unreadable', reason: 'it is a link' },
        { kind: 'missing' },
        { kind: 'missing' },
      ],
    )
  })

  it('gives up a listing of more than 20,000 entries', async () => {
    await web1.run('mkdir -p /etc/many/b; cd /etc/many/b; seq 20000 | xargs touch')
    const listings = ['/etc/many', '/etc/many/b'].map((path) => ({ path: base64(path), recurse: true }))

    const found = [...snapshotOf(await lookAt(web1, { paths: [], listings })).listings.values()]

    assert.deepEqual(found[0], { kind: 'unreadable', reason: 'too many entries' })
    assert(found[1]?.kind === 'entries' && found[1].entries.length === 20_000)
  })

  it('opens no pipe, so that nobody who waits at it goes on', async () => {
    await web1.run('mkfifo /etc/waiting; sh -c "echo x >/etc/waiting; : >/tmp/went-on" >/dev/null 2>&1 &')

    for (let n = 0; n < 3; n++)
      assert.equal(factsOf(await lookAt(web1, watching(['/etc/waiting'])), '/etc/waiting').kind, 'fifo')

    const { stdout } = await web1.run('ls /tmp; timeout 5 cat /etc/waiting')
    assert.equal(stdout, 'x\n')
  })

  it('calls a file unreadable that an ordinary user may not read, and never missing', async (t) => {
    if (!web1.canChown) return t.skip('needs root')
    await web1.run(`echo 'joe:x:1234:1234::/tmp:/bin/sh' >>/etc/passwd; echo 'joe:*:19000::::::' >>/etc/shadow
      mkdir -m 700 /etc/closed; echo x >/etc/closed/in; echo x >/etc/secret; chmod 600 /etc/secret`)
    const paths = ['/etc/secret', '/etc/closed/in', '/etc/closed/absent', '/etc/hostname', '/etc/absent']

    const result = await lookAt(web1, watching(paths, ['/etc/closed']), { user: 'joe' })

    assert.deepEqual(
      paths.map((path) => factsOf(result, path).kind),
      ['unreadable', 'unreadable', 'unreadable', 'file', 'missing'],
    )
    const denied = { kind: 'unreadable', reason: 'Permission denied' }
    assert.deepEqual(factsOf(result, '/etc/secret'), denied)
    assert.deepEqual([...snapshotOf(result).listings.values()], [denied])
  })

  it('never gives a hash that belongs to another content or to what a link leads to', async () => {
    await web1.run(`mkdir /etc/swap; cd /etc/swap; printf secret >secret; printf one >one; printf three >three
      sh -c 'while ln -s secret l; do mv -T l file; cp one c; mv -T c file; cp three c; mv -T c file; done' \
        >/dev/null 2>&1 &`)
    const sizes = new Map([
      [hashOf('sha256', 'one'), 3n],
      [hashOf('sha256', 'three'), 5n],
    ])
    const seen = new Set<string>()
    const until = performance.now() + 20_000
    // Each of the three, some of them often.
    for (let n = 0; (n < 100 || seen.size < 3) && performance.now() < until; n++) {
      const facts = factsOf(await lookAt(web1, watching(['/etc/swap/file'])), '/etc/swap/file')
      if (facts.kind === 'file') assert.equal(facts.size, sizes.get(facts.sha256), facts.sha256)
      else if (facts.kind === 'link') assert.equal(facts.target, base64('secret'))
      else assert(facts.kind === 'unreadable' || facts.kind === 'missing')
      seen.add(facts.kind === 'file' ? facts.sha256 : facts.kind)
    }
    assert([...sizes.keys(), 'link'].every((one) => seen.has(one)))
    await web1.run('rm -r /etc/swap')
  })

  it('gives no hash of a file that is being written', async () => {
    await web1.run(
      `truncate -s 40M /etc/log; : >/tmp/writing
      sh -c 'while [ -e /tmp/writing ]; do echo x >>/etc/log; done' >/dev/null 2>&1 &`,
    )
    try {
      const until = performance.now() + 30_000
      let facts = factsOf(await lookAt(web1, watching(['/etc/log'])), '/etc/log')
      while (facts.kind === 'file' && performance.now() < until) {
        facts = factsOf(await lookAt(web1, watching(['/etc/log'])), '/etc/log')
      }
      assert.deepEqual(facts, { kind: 'unreadable', reason: 'it is being written' })
    } finally {
      await web1.run('rm /tmp/writing')
    }
  })
})

describe('a connection', () => {
  it('works with any login shell, whatever its start-up files print', async (t) => {
    if (!web3.canChown) return t.skip('needs root')
    const shells = ['/bin/sh', '/bin/bash', '/usr/bin/tcsh', '/usr/bin/fish'].filter((shell) => existsSync(shell))
    await web3.run(
      `for shell; do name=\${shell##*/}; mkdir -p /home/$name/.config/fish
        echo "$name:x:0:0::/home/$name:$shell" >>/etc/passwd; echo "$name:*:19000::::::" >>/etc/shadow
        printf '%s\\n' 'echo "Welcome! gitops-status:"' 'printf "\\033[31m"' 'echo to stderr >/dev/stderr' |
          tee /home/$name/.bashrc /home/$name/.tcshrc >/home/$name/.config/fish/config.fish
      done`,
      { args: shells },
    )

    const users = shells.map((shell) => shell.split('/').at(-1) ?? '')
    const results = await lookAtAll(
      users.map((user) => ({ name: user, access: accessTo(web3, { user }), watched: watching(['/etc/hostname']) })),
      options,
      DEADLINES,
    )

    for (const user of users) assert.equal(factsOf(results.get(user), '/etc/hostname').kind, 'file', user)
  })

  it('becomes another user by sudo, and says when it may not', async (t) => {
    if (!web3.canChown) return t.skip('needs root')
    // Stands for sudo, which would make another row of the truth table pass: it is not installed in the lab.
    await web3.run(`cat >/usr/local/bin/sudo <<'END'
#!/bin/sh
[ "$*" != "\${*#-n -H -u joe -- }" ] || { echo 'sudo: a password is required' >&2; exit 1; }
shift 5; exec env HOME=/home/joe "$@"
END
      chmod 755 /usr/local/bin/sudo`)
    const results = await lookAtAll(
      ['joe', 'ann'].map((become) => ({
        name: become,
        access: accessTo(web3, { become }),
        watched: watching(['/etc']),
      })),
      options,
      DEADLINES,
    )

    assert.equal(factsOf(results.get('joe'), '/etc').kind, 'directory')
    assert.deepEqual(errorOf(results.get('ann')), {
      code: 'become_failed',
      message: 'Ansible could not become another user on the server: sudo: a password is required',
    })
  })

  it('says what keeps it from a look, each in a code of its own', async () => {
    await web2.changeHostKey()
    writeFileSync(join(directory, 'nobody'), '')
    const reasons: Record<string, [access: HostAccess, options?: HostOptions]> = {
      host_key_changed: [accessTo(web2)],
      host_key_unknown: [accessTo(web3), { ...options, ssh: { ...options.ssh, knownHostsFile: '/dev/null' } }],
      auth_failed: [accessTo(web3, { keyFile: null })],
      unreachable: [accessTo(web3, { port: 1 })],
      python_missing: [accessTo(web3, { python: '/opt/no python' })],
      look_failed: [accessTo(web3, { python: "python3'; reboot; '" })],
      ssh_missing: [accessTo(web3), { ...options, env: { PATH: '/nowhere' } }],
    }
    const found = await Promise.all(
      Object.values(reasons).map(async ([access, other = options]) => {
        const one = await lookAtAll([{ name: 'x', access, watched: NOTHING }], other, DEADLINES)
        return errorOf(one.get('x')).code
      }),
    )
    assert.deepEqual(found, Object.keys(reasons))
  })

  it("is as strict as the full check, whatever the user's ssh settings say", async () => {
    const access = accessTo(web2, {
      sshArgs: [
        '-F',
        'none',
        '-o',
        'StrictHostKeyChecking=no',
        '-o',
        'UserKnownHostsFile=/dev/null',
        '-S',
        '/tmp/evil',
      ],
    })
    const careless = {
      first: '-o StrictHostKeyChecking=no -o GlobalKnownHostsFile=/tmp/evil',
      last: '-S /tmp/evil -tt',
    }
    const ssh = { ...options.ssh, configured: careless }

    const results = await lookAtAll([{ name: 'x', access, watched: NOTHING }], { ...options, ssh }, DEADLINES)

    assert.equal(errorOf(results.get('x')).code, 'host_key_changed')
  })

  it('ends when the signal comes, and then answers no more', async () => {
    const stop = new AbortController()
    const session = await openHost(accessTo(web3), { ...options, signal: stop.signal }, DEADLINES.connectMs)
    assert('look' in session)
    const look = session.look(watching(['/etc/hostname']), 30_000)
    stop.abort()
    assert.equal(errorOf(await look).code, 'interrupted')
    assert.equal(errorOf(await session.look(NOTHING, 30_000)).code, 'interrupted')
  })
})

describe('a server that goes wrong in the middle of a look', () => {
  it('that hangs is late, and slows nobody', async () => {
    using session = await opened(accessTo(web3))
    await web3.pause()
    try {
      const hanging = session.look(watching(['/etc/hostname']), 3_000)
      const others = Promise.all(Array.from({ length: 3 }, () => opened(accessTo(web1))))
      const first = await Promise.race([hanging, others])
      assert(Array.isArray(first), 'the others waited for it')
      for (const other of first) {
        assert.equal(factsOf(await other.look(watching(['/etc']), 30_000), '/etc').kind, 'directory')
        other.close()
      }
      assert.equal(errorOf(await hanging).code, 'timeout')
      assert.equal(session.ended?.code, 'timeout')
      // Nor does its ssh stay here and wait.
      const until = performance.now() + 2_000
      while (isConnecting(web3) && performance.now() < until) await delay(20)
      assert(!isConnecting(web3))
    } finally {
      await web3.resume()
    }
  })

  it('that loses the connection gives no answer, and is there again for the next look', async () => {
    const watched = watching(['/etc/hostname'])
    const before = snapshotOf(await lookAt(web3, watched))
    await web3.pause()
    const cut = lookAt(web3, watched)
    await web3.reboot()
    assert.equal(errorOf(await cut).code, 'connection_lost')

    const after = snapshotOf(await lookAt(web3, watched))
    assert.notEqual(after.clock.bootId, before.clock.bootId)
  })

  it('or is somebody else gets its reason, and shows no escape code', async () => {
    const head =
      'printf "gitops-status:%s:0:%d:%s\\n%s\\n" $nonce 11 $(printf %s "$ready" | sha256sum | cut -c-64) "$ready"'
    const start = `#!/bin/sh\nhead -c ${Buffer.byteLength(hostAgent())} >/dev/null\nread -r nonce\nready='{"ready":1}'\n`
    const payload = (text: string) =>
      `read -r ask; text='${text}'; printf 'gitops-status:%s:1:%d:%s\\n%s\\n' $nonce \${#text} $(printf %s "$text" | sha256sum | cut -c-64) "$text"`
    const agents: Record<string, [expected: string, script: string]> = {
      garbage: ['answer_invalid', `${head}; ${payload('{"clock":"\\033[2J"}')}`],
      extra: ['answer_invalid', `${head}; ${payload('{"clock":{},"paths":[{},{}],"listings":[]}')}`],
      half: ['connection_lost', `${head}; read -r ask; printf 'gitops-status:%s:1:90:%064d\\nhalf' $nonce 1`],
      long: ['answer_invalid', `${head}; read -r ask; printf 'gitops-status:%s:1:999999999:%064d\\n' $nonce 1; cat`],
      endless: ['answer_invalid', 'exec yes "\u001b[2J\u001b]0;title\u0007"'],
      unasked: ['answer_invalid', `${head}; ${payload('{}').replace(':1:', ':7:')}; cat`],
      fails: [
        'look_failed',
        `${head}; ${payload(JSON.stringify({ error: '\u001b[2JOSError: \u009bno\nspace' }))}; cat`,
      ],
      dies: ['look_failed', `printf '\u001b[2Jold python\\n' >&2; exit 3`],
    }
    await web3.run('mkdir /etc/evil')
    for (const [name, [, script]] of Object.entries(agents)) {
      await web3.writeFile(`/etc/evil/${name}`, `${start}${script}\n`)
    }
    await web3.run('chmod 755 /etc/evil/*')

    const results = await lookAtAll(
      [
        { name: 'web1', access: accessTo(web1), watched: watching(['/etc']) },
        ...Object.keys(agents).map((name) => ({
          name,
          access: accessTo(web3, { python: `/etc/evil/${name}` }),
          watched: watching(['/etc/hostname']),
        })),
      ],
      options,
      DEADLINES,
    )

    assert.equal(factsOf(results.get('web1'), '/etc').kind, 'directory')
    for (const [name, [expected]] of Object.entries(agents)) {
      const { code, message } = errorOf(results.get(name))
      assert.equal(code, expected, `${name}: ${message}`)
      assert.doesNotMatch(message, /[\p{Cc}\p{Cf}]/u)
    }
  })
})

describe('nothing stays behind on a server', () => {
  for (const [what, watched] of [
    ['waits for a question', null],
    ['is in the middle of a look', watching(['/etc/endless'])],
  ] as const) {
    it(`when who asks is killed while the agent ${what}`, async () => {
      await web1.run('truncate -s 2T /etc/endless')
      const known = await agentsOn(web1)
      const job = JSON.stringify({ access: accessTo(web1), options, watched })
      const controller = spawn(process.execPath, [join(import.meta.dirname, 'orphan.ts'), job], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const agents: string[] = []
      try {
        await once(controller.stdout, 'data')
        agents.push(...(await agentsOn(web1)).filter((pid) => !known.includes(pid)))
        assert.equal(agents.length, 1)
        if (watched !== null) await isHashing(web1, agents[0] ?? '')
      } finally {
        controller.kill('SIGKILL')
      }

      const until = performance.now() + 2_000
      while ((await agentsOn(web1)).includes(agents[0] ?? '') && performance.now() < until) await delay(20)
      assert.deepEqual(
        (await agentsOn(web1)).filter((pid) => agents.includes(pid)),
        [],
      )
    })
  }

  it('and nothing is written there', async () => {
    // Python would compile its modules for the next time.
    await web1.run('rm -rf /usr/lib/python3*/__pycache__ 2>/dev/null; touch /tmp/now')
    await lookAtAll([{ name: 'web1', access: accessTo(web1), watched: watching(['/etc'], ['/etc/ssh']) }], options)
    const { stdout } = await web1.run(
      'find /etc /root /home /tmp /run /usr/lib/python3* -newercm /tmp/now ! -path /tmp/now ! -path /run/sshd/log',
    )
    assert.equal(stdout, '')
  })
})

/** Whether an ssh of ours is there for it. */
function isConnecting({ port }: LabServer): boolean {
  return readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')
    .split(' ')
    .filter(Boolean)
    .some((pid) => commandOf(pid).includes(`\0Port=${port}\0`))
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
  } catch {
    return '' // ended meanwhile
  }
}

async function agentsOn(server: LabServer): Promise<string[]> {
  const { stdout } = await server.run(
    `grep -lz 'io[.]BufferedReader(io.FileIO' /proc/[0-9]*/cmdline | while IFS= read -r file; do
       file=\${file%/cmdline}; read -r name <$file/comm; case $name in python*) echo "\${file#/proc/}";; esac; done`,
  )
  return stdout.split('\n').filter(Boolean)
}

async function isHashing(server: LabServer, pid: string): Promise<void> {
  const isOpen = async () => (await server.run(`ls -l /proc/${pid}/fd`)).stdout.includes('/etc/endless')
  while (!(await isOpen())) await delay(20)
}

function asSeconds(nanoseconds: bigint): string {
  return `${nanoseconds / 1_000_000_000n}.${String(nanoseconds % 1_000_000_000n).padStart(9, '0')}`
}

function hashOf(algorithm: string, text: string): string {
  return createHash(algorithm).update(text).digest('hex')
}
