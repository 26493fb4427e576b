import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { TOOLS } from '../../scripts/install-tools.ts'
import { type LabServer, startLabServer } from './lab-server.ts'

describe('install-tools', () => {
  it('says nothing when nothing is missing', async () => {
    await using server = await serverWithTools(TOOLS.map(({ command }) => command))

    assert.deepEqual(await install(server), { code: 0, stdout: '', stderr: '' })
    assert.deepEqual(await aptLog(server), [])
  })

  it('installs what is missing, starts no daemon by it, and lets daemons start again', async (t) => {
    await using server = await serverWithTools(ALL_BUT_STRACE)
    if (!server.canChown) return t.skip('needs root on this machine: apt-get is for root')
    await server.run(`rm -f ${POLICY}`)

    const { code, stdout, stderr } = await install(server)

    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: '', stderr: 'Installing strace ...\n' })
    assert.deepEqual(await aptLog(server), [
      '-qq -o DPkg::Lock::Timeout=300 update; daemons: 101',
      '-qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends strace; daemons: 101',
    ])
    assert.equal((await server.run(`ls ${POLICY}`)).stdout, '')
  })

  it('lets daemons start again after a failure, shows it, and lets tests go on', async (t) => {
    await using server = await serverWithTools(ALL_BUT_STRACE)
    if (!server.canChown) return t.skip('needs root on this machine: apt-get is for root')
    await server.run(`rm -f ${POLICY}; touch /home/no-network`)

    const { code, stderr } = await install(server)

    assert.equal(code, 0)
    assert.match(stderr, /E: no network\n.*\nMissing: strace\.\n.*\n.*tests that need strace are skipped/)
    assert.equal((await server.run(`ls ${POLICY}`)).stdout, '')
  })

  it('keeps daemons that it installed from starting at the next boot', async (t) => {
    await using server = await serverWithTools(ALL_BUT_STRACE)
    if (!server.canChown) return t.skip('needs root on this machine: apt-get is for root')
    await server.writeFile('/home/tools/systemctl', '#!/bin/sh\necho "$*" >>/home/systemctl.log\n')
    await server.run('chmod 755 /home/tools/systemctl; rm /usr/sbin/rsyslogd /home/tools/rsyslogd')

    await install(server)

    assert.equal(String(await server.readFile('/home/systemctl.log')), 'disable rsyslog.service\n')
  })

  it("leaves somebody else's policy for daemons alone", async (t) => {
    await using server = await serverWithTools(ALL_BUT_STRACE)
    if (!server.canChown) return t.skip('needs root on this machine: apt-get is for root')
    await server.run(`printf '#!/bin/sh\\nexit 104\\n' >${POLICY}; chmod 755 ${POLICY}`)

    await install(server)

    assert.match((await aptLog(server)).join('\n'), /daemons: 104/)
    assert.equal(String(await server.readFile(POLICY)), '#!/bin/sh\nexit 104\n')
  })

  it('tells an ordinary user the one line to run, and goes on only outside CI', async (t) => {
    await using server = await serverWithTools(ALL_BUT_STRACE)
    if (!server.canChown) return t.skip('needs root on this machine, to become an ordinary user')

    const laptop = await install(server, AS_USER)
    const ci = await install(server, `env CI=true ${AS_USER}`)

    assert.equal(laptop.code, 0)
    assert.match(laptop.stderr, /sudo apt-get install -y --no-install-recommends strace\n.*need strace are skipped/)
    assert.equal(ci.code, 1)
    assert.match(ci.stderr, /sudo apt-get install -y --no-install-recommends strace\n$/)
    assert.deepEqual(await aptLog(server), [])
  })

  it('names what is needed where there is no apt-get', async () => {
    await using server = await serverWithTools(ALL_BUT_STRACE)
    await server.run('rm /home/tools/apt-get /home/tools/ansible-playbook')

    const { stderr } = await install(server)

    assert.match(stderr, /This is not Debian; install what is called there ansible-core, strace\./)
  })
})

const ALL_BUT_STRACE = TOOLS.map(({ command }) => command).filter((command) => command !== 'strace')
const AS_USER = 'setpriv --reuid=games --regid=games --clear-groups --'
const POLICY = '/usr/sbin/policy-rc.d'

// "Installs" the one tool that the tests leave out.
const APT_GET = `#!/bin/sh
${POLICY} 2>/dev/null
echo "$*; daemons: $?" >>/home/apt.log
case $* in
*install*) [ ! -e /home/no-network ] || { echo 'E: no network' >&2; exit 100; }; cp /home/tools/ssh /home/tools/strace ;;
esac
`

/** A server on whose path there are these tools and an apt-get of ours. */
async function serverWithTools(commands: readonly string[]): Promise<LabServer> {
  const server = await startLabServer({ name: 'fresh' })
  await server.run('chmod 755 /home; mkdir /home/tools')
  for (const command of [...commands, 'apt-get']) await server.writeFile(`/home/tools/${command}`, '#!/bin/sh\n')
  await server.writeFile('/home/tools/apt-get', APT_GET)
  await server.run(
    'chmod 755 /home/tools/*; for tool in chmod cp env grep rm setpriv; do ln -s "$(command -v $tool)" /home/tools; done',
  )
  // Where this project lies may be out of sight there.
  await server.writeFile(
    '/home/install-tools.mts',
    readFileSync(new URL('../../scripts/install-tools.ts', import.meta.url)),
  )
  const isInSight = await server.run(`${AS_USER} test -x "$1" && ln -s "$1" /home/node`, { args: [process.execPath] })
  if (isInSight.code !== 0) {
    await server.writeFile('/home/node', readFileSync(process.execPath))
    await server.run('chmod 755 /home/node')
  }
  return server
}

function install(server: LabServer, as = '') {
  return server.run(`PATH=/home/tools; cd /; ${as} /home/node /home/install-tools.mts`)
}

async function aptLog(server: LabServer) {
  const { stdout } = await server.run('cat /home/apt.log')
  return stdout.split('\n').filter((line) => line !== '')
}
