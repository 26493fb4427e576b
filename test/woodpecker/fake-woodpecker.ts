import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface FakeCron {
  id: number
  name: string
  repo_id: number
  creator_id: number
  next_exec: number
  schedule: string
  timezone?: string
  created: number
  branch: string
  enabled?: boolean
  variables?: Record<string, string> | null
}

export interface FakeSecret {
  readonly name: string
  readonly events: readonly string[]
  readonly images?: readonly string[] | null
}

export interface FakeOptions {
  /** What it says of itself, and how it behaves: cron jobs have `enabled` since 3.13 and `timezone` since 3.15. */
  readonly version?: string
  readonly branches?: readonly string[]
  readonly defaultBranch?: string
  readonly fullName?: string
  readonly active?: boolean
  readonly configFile?: string
  readonly canPush?: boolean
  readonly isOrganisationAdmin?: boolean
  readonly crons?: readonly Partial<FakeCron>[]
  readonly secrets?: readonly FakeSecret[]
  readonly organisationSecrets?: readonly FakeSecret[]
  readonly globalSecrets?: readonly FakeSecret[]
  /** Below which it lives. */
  readonly rootPath?: string
}

export interface FakeWoodpecker extends AsyncDisposable {
  readonly url: string
  readonly token: string
  readonly crons: FakeCron[]
  /** `METHOD path`, in order. */
  readonly requests: string[]
}

const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.very-secret.token'
const REPO_ID = 7
const ORG_ID = 3

/**
 * Behaves as Woodpecker's own server does for a repository `ops/rsyslog`: server/router/api.go has the routes,
 * server/api/cron.go and repo_secret.go the answers, server/router/middleware/session the refusals (a user who may
 * not push is told 404, one who is not known 401), pagination.go the pages.
 */
export async function startFakeWoodpecker(options: FakeOptions = {}): Promise<FakeWoodpecker> {
  const {
    version = '3.17.0',
    branches = ['master'],
    defaultBranch = 'master',
    fullName = 'ops/rsyslog',
    active = true,
    configFile = '',
    canPush = true,
    isOrganisationAdmin = false,
    secrets = [],
    organisationSecrets = [],
    globalSecrets = [],
    rootPath = '',
  } = options
  const minor = Number(/^\d+[.](\d+)/.exec(version)?.[1] ?? 99)
  const crons: FakeCron[] = []
  const requests: string[] = []
  for (const cron of options.crons ?? []) crons.push(seen({ ...aCron(crons.length + 1), ...cron }))

  function aCron(id: number): FakeCron {
    const fields = { name: 'other', schedule: '@daily', branch: '', timezone: 'UTC', enabled: true, variables: null }
    return { ...fields, id, repo_id: REPO_ID, creator_id: 1, next_exec: 1_776_767_400, created: 0 }
  }

  /** As a server of this version has it. */
  function seen({ enabled, timezone, variables, ...cron }: FakeCron): FakeCron {
    return {
      ...cron,
      ...(minor >= 13 && { enabled: enabled ?? false, variables: variables ?? null }),
      ...(minor >= 15 && { timezone: timezone || 'UTC' }),
    }
  }

  function invalid({ name, schedule, timezone = 'UTC' }: FakeCron): string | null {
    if (name === '') return 'name is required'
    if (schedule === '') return 'schedule is required'
    if (!/^(@\w+( \w+)?|\S+( \S+){4})$/.test(schedule)) return `can't parse schedule: expected exactly 5 fields`
    if (!/^(UTC|[A-Z]\w+\/\w+)$/.test(timezone)) return `can't parse timezone: unknown time zone ${timezone}`
    return null
  }

  function createCron(body: Partial<FakeCron>): Answer {
    const cron = seen({
      ...aCron(crons.length + 1),
      name: (body.name ?? '').trim(),
      schedule: (body.schedule ?? '').trim(),
      branch: (body.branch ?? '').trim(),
      timezone: (body.timezone ?? '').trim() || 'UTC',
      enabled: body.enabled ?? false,
    })
    const problem = invalid(cron)
    if (problem !== null) return [422, `Error inserting cron. validate failed: ${problem}`]
    if (cron.branch !== '' && !branches.includes(cron.branch))
      return [400, 'Error inserting cron. branch not resolved: branch does not exist']
    if (crons.some(({ name }) => name === cron.name)) return [409, 'cron with this exists for this repo already']
    crons.push(cron)
    return [200, cron]
  }

  function patchCron(id: number, body: Partial<FakeCron>): Answer {
    const cron = crons.find((one) => one.id === id)
    if (cron === undefined) return [404, null]
    const said = Object.entries(body).filter(([, value]) => typeof value !== 'string' || value.trim() !== '')
    const next = seen({ ...cron, ...Object.fromEntries(said) })
    const problem = invalid(next)
    if (problem !== null) return [422, `Error inserting cron. validate failed: ${problem}`]
    if (next.branch !== '' && !branches.includes(next.branch))
      return [400, 'Error inserting cron. branch not resolved: branch does not exist']
    Object.assign(cron, next)
    return [200, cron]
  }

  const copies = (list: readonly FakeSecret[]) => list.map((secret, id) => ({ id, images: null, note: '', ...secret }))

  function answer(method: string, path: string, body: Partial<FakeCron>): Answer {
    if (path === '/version') return [200, { source: 'https://github.com/woodpecker-ci/woodpecker', version }]
    if (path === '/api/user') return [200, { id: 1, login: 'bot' }]
    if (path === '/api/secrets') return minor < 9 ? [403, 'User not authorized'] : [200, copies(globalSecrets)]
    if (path === `/api/orgs/${ORG_ID}/secrets`)
      return isOrganisationAdmin ? [200, copies(organisationSecrets)] : [403, 'user not authorized']
    if (path === '/api/repos/lookup/ops/rsyslog') {
      const fields = { id: REPO_ID, org_id: ORG_ID, owner: 'ops', name: 'rsyslog', full_name: fullName }
      return [200, { ...fields, default_branch: defaultBranch, active, config_file: configFile }]
    }
    if (path.startsWith('/api/repos/lookup/')) return [404, null]

    const repository = `/api/repos/${REPO_ID}`
    if (!path.startsWith(`${repository}/`)) return PAGE
    if (!canPush) return [404, null]
    if (path === `${repository}/secrets`) return [200, copies(secrets)]
    if (path === `${repository}/cron`) return method === 'POST' ? createCron(body) : [200, crons]
    const id = Number(path.slice(`${repository}/cron/`.length))
    return method === 'PATCH' && Number.isSafeInteger(id) ? patchCron(id, body) : PAGE
  }

  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://fake')
    let text = ''
    request.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    request.on('end', () => {
      const method = request.method ?? ''
      requests.push(`${method} ${pathname}`)
      const path = pathname.startsWith(rootPath) ? pathname.slice(rootPath.length) : '/nowhere'
      const known = request.headers.authorization === `Bearer ${TOKEN}` || path === '/version'
      const [status, content] = known ? answer(method, path, readJson(text)) : ([401, 'User not authorized'] as const)

      response.statusCode = status
      if (typeof content === 'string') {
        response.setHeader('content-type', content.startsWith('<') ? 'text/html' : 'text/plain; charset=utf-8')
        response.end(content)
        return
      }
      response.setHeader('content-type', 'application/json; charset=utf-8')
      if (!Array.isArray(content)) return response.end(content === null ? '' : JSON.stringify(content))
      const perPage = Math.min(Number(searchParams.get('perPage') ?? 50), 50)
      const first = (Number(searchParams.get('page') ?? 1) - 1) * perPage
      const page = content.slice(first, first + perPage)
      return response.end(JSON.stringify(page.length === 0 && first === 0 ? null : page))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${rootPath}`,
    token: TOKEN,
    crons,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

type Answer = readonly [status: number, content: unknown]

// Whatever is no route shows the page of the web interface.
const PAGE: Answer = [200, '<!DOCTYPE html><title>Woodpecker</title>']

function readJson(text: string): Partial<FakeCron> {
  return text === '' ? {} : (JSON.parse(text) as Partial<FakeCron>)
}
