import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type Answer, listen, startRecorder, stored } from '../../test/reporter/check-run.ts'
import { aHost, anEvidence } from '../../test/reporter/evidence-builder.ts'
import { runCli } from './cli.ts'
import { takeRunLock } from './run-lock.ts'

const INVENTORY = JSON.stringify({ _meta: { hostvars: {} }, all: { hosts: ['rsyslog-lab'] } })

describe('gitops-status', () => {
  let directory: string
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'cli-test-'))
    const program = (name: string, script: string) =>
      writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    // Stand in for Ansible: what it would do is not what these tests are about.
    program('ansible-inventory', `echo '${INVENTORY}'`)
    program('ansible-config', 'echo "[]"')
    const evidence = anEvidence({ run_id: '@RUN@', hosts: { 'rsyslog-lab': aHost() } })
    program(
      'ansible-playbook',
      `echo '${JSON.stringify(evidence)}' | sed "s/@RUN@/$GITOPS_STATUS_RUN_ID/" >"$GITOPS_STATUS_RESULT_FILE"
       echo "environment: $(env)"`,
    )
  })
  after(() => rmSync(directory, { recursive: true, force: true }))

  async function run(args: readonly string[], env: Record<string, string> = {}) {
    const out: string[] = []
    const err: string[] = []
    const code = await runCli(args, {
      env: { PATH: `${directory}:${process.env.PATH}`, ...env },
      directory,
      console: { out: (line) => out.push(line), err: (line) => err.push(line) },
      terminal: false,
      signal: new AbortController().signal,
    })
    return { code, out: out.join('\n'), err: err.join('\n') }
  }
  const HOSTS = ['--inventory', 'rsyslog-lab,']

  it('shows help with examples first, and in it no secret', async () => {
    const env = { GITOPS_STATUS_TOKEN: 'hunter2', SSH_PRIVATE_KEY: 'hunter2', GITOPS_STATUS_SERVER_URL: 'nonsense' }
    for (const args of [
      ['--help'],
      ['-h'],
      ['help'],
      ['help', 'report'],
      ['check', '--help'],
      ['report', '-h', '--x'],
      ['help', 'exit-codes'],
      ['help', 'environment'],
    ]) {
      const { code, out, err } = await run(args, env)
      assert.deepEqual([code, err], [0, ''], args.join(' '))
      assert(!out.includes('hunter2') && out !== '')
    }
    const { out } = await run(['check', '--help'])
    assert(out.indexOf('Examples:') < out.indexOf('Flags:'))
  })

  it('is wrong usage without a command: help on standard error, and 64', async () => {
    const { code, out, err } = await run([])
    assert.deepEqual([code, out], [64, ''])
    assert.match(err, /Examples:/)
  })

  it('guesses what a mistyped command was meant to be', async () => {
    const { code, err } = await run(['reprot'])
    assert.equal(code, 64)
    assert.match(err, /^Unknown command "reprot"; did you mean report\?/)
  })

  it('names all wrong settings, and says where to read on', async () => {
    const { code, err, out } = await run(['check', '--timeout', 'x', '--colr'])
    assert.deepEqual([code, out], [64, ''])
    assert.deepEqual(err.split('\n').length, 3)
    assert.match(err, /Try: gitops-status help check$/)
  })

  it('does not take what Object has for a command', async () => {
    for (const name of ['constructor', 'toString', '__proto__']) assert.equal((await run([name])).code, 64)
  })

  it('reports nothing without REPO_NAME and a server', async () => {
    const { code, err } = await run(['report', ...HOSTS])
    assert.equal(code, 64)
    assert.match(err, /REPO_NAME is not set.*\n.*GITOPS_STATUS_SERVER_URL is not set/)
  })

  it('shows the plan of a check', async () => {
    const { code, out, err } = await run(['check', ...HOSTS])
    assert.deepEqual([code, out, err], [0, 'rsyslog-lab: SYNCED\n\nNo drift: the server matches Git.', ''])
  })

  it('says nothing with --quiet when all is well', async () => {
    assert.deepEqual(await run(['check', '--quiet', ...HOSTS]), { code: 0, out: '', err: '' })
  })

  it('prints data for programs on standard output, and the steps on standard error', async () => {
    const { out, err } = await run(['report', '--output', 'json', '--dry-run', ...HOSTS], { REPO_NAME: 'rsyslog' })
    assert.equal(JSON.parse(out).sync_status, 'SYNCED')
    assert.match(err, /^==> Running drift-check playbook\.\.\.\nStep 1\/4: /)
  })

  const PUSHED = (response: ServerResponse) => response.end()
  const REFUSED = (response: ServerResponse) => response.writeHead(400).end('hunter2 is no good')

  async function reportTo(server: Answer, gateway: (response: ServerResponse) => unknown) {
    await using status = await startRecorder(server)
    const seen: string[] = []
    await using other = await listen((request, response) => {
      request.resume().on('end', () => {
        seen.push(`${request.method} ${request.url} ${request.headers.authorization}`)
        gateway(response)
      })
    })
    const outcome = await run(['report', '--pushgateway', other.url, ...HOSTS], {
      REPO_NAME: 'owner/rsyslog',
      GITOPS_STATUS_SERVER_URL: status.url,
      GITOPS_STATUS_PUSHGATEWAY_AUTH: 'ci:hunter2',
    })
    return { ...outcome, reported: status.reports.length, seen }
  }
  const GROUP =
    'POST /metrics/job/gitops_sync_check/repo@base64/b3duZXIvcnN5c2xvZw/instance/rsyslog-lab Basic Y2k6aHVudGVyMg=='

  it('tells a Pushgateway as well', async () => {
    const { code, out, err, reported, seen } = await reportTo(stored, PUSHED)
    assert.deepEqual([code, err, reported, seen], [0, '', 1, [GROUP]])
    assert.match(out, /\n✓ Status update successful \(HTTP 200\)\n✓ Pushed to the Pushgateway as well$/)
  })

  it('reports what a Pushgateway does not take: 4', async () => {
    const { code, out, err, reported, seen } = await reportTo(stored, REFUSED)
    assert.deepEqual([code, reported], [4, 1])
    assert.equal(err, '✗ Push of rsyslog-lab to the Pushgateway failed (HTTP 400: *** is no good)')
    assert.match(out, /✓ Status update successful \(HTTP 200\)$/)
    // Untyped, and as a gauge.
    assert.equal(seen.length, 2)
  })

  it('does not take a page for a Pushgateway', async () => {
    const { code, err } = await reportTo(stored, (response) => response.end('<title>Sign in</title>'))
    assert.equal(code, 4)
    assert.match(err, /something other than a Pushgateway answered HTTP 200/)
  })

  it('pushes what the server does not take: 3', async () => {
    const { code, out, seen } = await reportTo((response) => response.writeHead(403).end(), PUSHED)
    assert.deepEqual([code, seen], [3, [GROUP]])
    assert.match(out, /✓ Pushed to the Pushgateway as well$/)
  })

  it('has the doctor ask whether the Pushgateway is there', async () => {
    await using other = await listen((request, response) =>
      response.writeHead(request.url === '/-/ready' ? 200 : 404).end(),
    )
    const doctor = async (url: string) => (await run(['doctor', '--pushgateway', url, ...HOSTS])).out
    assert.ok((await doctor(other.url)).includes(`✓ Pushgateway: ${other.url}\n`))
    assert.match(await doctor(`${other.url}/elsewhere`), /✗ Pushgateway: .*\/elsewhere\/-\/ready answers HTTP 404\n/)
  })

  it('shows in a dry run what it would push', async () => {
    const { code, out, err } = await run(['report', '--dry-run', '--pushgateway', 'http://gateway', ...HOSTS], {
      REPO_NAME: 'rsyslog',
    })
    assert.deepEqual([code, JSON.parse(out).sync_status], [0, 'SYNCED'])
    assert.match(
      err,
      /\nWould push to http:\/\/gateway\/metrics\/job\/gitops_sync_check\/repo\/rsyslog\/instance\/rsyslog-lab\ngitops_sync_status 0\n/,
    )
  })

  it('passes no secret on to Ansible', async () => {
    const { err } = await run(['check', '--verbose', ...HOSTS], { GITOPS_STATUS_TOKEN: 'hunter2' })
    assert.match(err, /environment: /)
    assert(!err.includes('hunter2'))
  })

  it('leaves a check alone that is under way: 75', async () => {
    const lock = await takeRunLock([directory, 'ansible/playbooks/drift-check.yml', 'rsyslog-lab,', ''])
    const { code, err } = await run(['report', '--dry-run', ...HOSTS], { REPO_NAME: 'rsyslog' })
    lock?.release()

    assert.equal(code, 75)
    assert.match(err, /Another run of this check is under way/)
  })

  it('says its version', async () => {
    const { code, out } = await run(['--version'])
    assert.equal(code, 0)
    assert.match(out, /^gitops-status \d+\.\d+\.\d+$/)
  })
})
