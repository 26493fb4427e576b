import { type Cron, type Repository, readCrons, readRepository, readSecrets, type Secret } from './woodpecker-json.ts'

export interface Connection {
  /** Without a slash at its end. It may have a path: Woodpecker can live below one. */
  readonly serverUrl: string
  readonly token: string
  /** Takes the token out of a text: what a server says is shown, and it may repeat what it was sent. */
  readonly redact: (text: string) => string
  readonly signal: AbortSignal
}

/** What Woodpecker would not do, in words for the person who asked. Never holds the token. */
export class WoodpeckerError extends Error {
  /** null: no answer that Woodpecker could have given. */
  readonly status: number | null

  constructor(message: string, status: number | null) {
    super(message)
    this.name = 'WoodpeckerError'
    this.status = status
  }
}

export type CronFields = Pick<Cron, 'name' | 'branch' | 'schedule'> & {
  readonly timezone: string
  readonly enabled: boolean
}

/** The part of Woodpecker's API that a setup needs: routes and answers as in its server/router/api.go. */
export interface Woodpecker {
  /** null where the server does not say. */
  version(): Promise<string | null>
  checkToken(): Promise<void>
  repository(fullName: string): Promise<Repository>
  crons(repository: Repository): Promise<readonly Cron[]>
  createCron(repository: Repository, cron: CronFields): Promise<Cron>
  changeCron(repository: Repository, cron: Cron, change: Partial<CronFields>): Promise<Cron>
  secrets(repository: Repository): Promise<readonly Secret[]>
  /** Of the organisation, then of the server; null where this user may not look. */
  sharedSecrets(repository: Repository): Promise<{
    readonly organisation: readonly Secret[] | null
    readonly server: readonly Secret[] | null
  }>
}

const TIMEOUT_MS = 15_000
// Woodpecker's largest page.
const PAGE = 50
// A repository has a handful; a server that never stops answering must not keep us.
const MAX_PAGES = 200
const MAX_ANSWER_BYTES = 4 * 1024 * 1024

export function openWoodpecker({ serverUrl, token, redact, signal }: Connection): Woodpecker {
  async function ask(method: string, path: string, body?: unknown): Promise<unknown> {
    let response: Response
    let text: string
    try {
      response = await fetch(serverUrl + path, {
        method,
        // Whoever answers with another address would be handed the token there.
        redirect: 'manual',
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json',
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      })
      text = await readText(response)
    } catch (error) {
      if (error instanceof WoodpeckerError) throw error
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
      const reason = redact(cause instanceof Error ? cause.message : String(cause))
      throw new WoodpeckerError(`${serverUrl} does not answer: ${reason}`, null)
    }
    if (response.status >= 300 && response.status < 400) {
      throw new WoodpeckerError(
        `${serverUrl}${path} leads elsewhere (HTTP ${response.status}): set WOODPECKER_SERVER to the address in the end`,
        response.status,
      )
    }
    if (!response.ok) throw new WoodpeckerError(`HTTP ${response.status}${saying(text)}`, response.status)
    try {
      // Text by text, as JSON means it: an escaped token is one as well, and a number is not to become a text.
      return JSON.parse(text, (_, value) => (typeof value === 'string' ? redact(value) : value))
    } catch {
      throw new WoodpeckerError(`${serverUrl}${path} answers with something else than JSON: is it a Woodpecker?`, null)
    }
  }

  // The server's own words, in one line, and without what it may have been told of us.
  function saying(text: string): string {
    const line = redact(text)
      .replace(/[\s\p{Cc}\p{Cf}]+/gu, ' ')
      .trim()
    return line === '' || line.startsWith('<') ? '' : `: ${line.slice(0, 300)}`
  }

  async function readText(response: Response): Promise<string> {
    let bytes = 0
    const chunks: Uint8Array[] = []
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength
      if (bytes > MAX_ANSWER_BYTES) throw new WoodpeckerError(`${serverUrl} answers without an end`, null)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks).toString('utf8')
  }

  async function all<T>(path: string, read: (page: unknown) => readonly T[]): Promise<readonly T[]> {
    const found: T[] = []
    for (let page = 1; page <= MAX_PAGES; page++) {
      const answer = read(await ask('GET', `${path}?page=${page}&perPage=${PAGE}`))
      found.push(...answer)
      if (answer.length < PAGE) break
    }
    return found
  }

  async function ifAllowed<T>(asking: Promise<T>): Promise<T | null> {
    return asking.catch((error: unknown) => {
      if (error instanceof WoodpeckerError && error.status !== null && [400, 401, 403, 404].includes(error.status))
        return null
      throw error
    })
  }

  const crons = ({ id }: Repository) => `/api/repos/${id}/cron`
  return {
    async version() {
      const answer = await ifAllowed(ask('GET', '/version'))
      const version = typeof answer === 'object' && answer !== null && 'version' in answer ? answer.version : null
      return typeof version === 'string' && version !== '' ? version : null
    },
    async checkToken() {
      await ask('GET', '/api/user')
    },
    async repository(fullName) {
      return readRepository(
        await ask('GET', `/api/repos/lookup/${fullName.split('/').map(encodeURIComponent).join('/')}`),
      )
    },
    crons: (repository) => all(crons(repository), readCrons),
    async createCron(repository, cron) {
      return single(readCrons([await ask('POST', crons(repository), cron)]))
    },
    async changeCron(repository, { id }, change) {
      return single(readCrons([await ask('PATCH', `${crons(repository)}/${id}`, change)]))
    },
    secrets: ({ id }) => all(`/api/repos/${id}/secrets`, readSecrets),
    async sharedSecrets({ organisationId }) {
      const organisation =
        organisationId === null ? null : await ifAllowed(all(`/api/orgs/${organisationId}/secrets`, readSecrets))
      return { organisation, server: await ifAllowed(all('/api/secrets', readSecrets)) }
    },
  }
}

function single<T>(list: readonly T[]): T {
  const [first] = list
  if (first === undefined) throw new WoodpeckerError('the answer is empty', null)
  return first
}
