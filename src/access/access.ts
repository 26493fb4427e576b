import { timingSafeEqual } from 'node:crypto'
import { authorize, type Bearer, type Doors, type Permit, type Right } from '../domain/authorize.ts'
import { stateOf, type Token } from '../domain/token.ts'
import { digestOfSecret } from './secret.ts'

export interface Needs {
  /** Those in the database, with what others did to them since. */
  readonly list: () => Promise<readonly Token[]>
  readonly noteUse: (uses: readonly { readonly id: string; readonly at: number }[]) => Promise<void>
  /** Those of the configuration. Null: there is no such configuration. */
  readonly configured: () => readonly Token[] | null
  /** Some may do less than before: whoever listens has to ask again. */
  readonly onFewer: () => void
  readonly isRequired: boolean
  readonly anonymousMayRead: boolean
  readonly now: () => Date
  readonly every: (ms: number, run: () => void) => () => void
  readonly log: { warn(fields: object, words: string): void; info(fields: object, words: string): void }
}

export interface Access {
  /**
   * Whether a request may do what it asks for.
   *
   * @param authorization The header of that name.
   * @throws Fault `unauthorized`, `forbidden`
   */
  admit(authorization: string | undefined, right: Right): Permit
  doors(): Doors
  /** Those that can be used now. */
  valid(): readonly Token[]
  stop(): Promise<void>
}

// A token that is revoked at one server, or at the command line, is good for so long at most. Twice as long with a store
// that answers late.
const LOOK_AGAIN_MS = 1_000

// People ask which tokens are still in use, and not at which second.
const NOTE_USE_MS = 60_000

/** Who may do what, as the tokens of the database and of the configuration say now. */
export async function createAccess(needs: Needs): Promise<Access> {
  const { list, noteUse, configured, onFewer, isRequired, anonymousMayRead, now, every, log } = needs
  let byDigest: ReadonlyMap<string, Token> = new Map()
  let isClosed = false
  let hasBegun = false
  let grants: ReadonlySet<string> = new Set()
  let isFailing = false
  const usedAt = new Map<string, number>()
  let notedAtMs = now().getTime()
  let running: Promise<void> | null = null

  async function look(): Promise<void> {
    try {
      const stored = await list()
      const inFile = configured()
      byDigest = new Map([...stored, ...(inFile ?? [])].map((token) => [token.digest, token]))
      close(stored, inFile)
    } finally {
      letGo() // also of those that have run out while nobody can be asked
    }
  }

  function close(stored: readonly Token[], inFile: readonly Token[] | null): void {
    const wasClosed = isClosed
    // For good: a server whose tokens have all run out, or whose configuration is gone, is not open again.
    isClosed ||= isRequired || inFile !== null || stored.length > 0
    if (isClosed && !wasClosed) log.info({ tokens: byDigest.size }, 'only tokens may report from now on')
    if (isClosed && !wasClosed && hasBegun) onFewer()
    hasBegun = true
  }

  /** Whoever listens with what has become less has to ask again. */
  function letGo(): void {
    const now = new Set(
      validTokens().map(({ id, scopes, repos, servers }) => JSON.stringify([id, scopes, repos, servers])),
    )
    if ([...grants].some((grant) => !now.has(grant))) onFewer()
    grants = now
  }

  function validTokens(): Token[] {
    const at = now().getTime()
    return [...byDigest.values()].filter((token) => stateOf(token, at) === 'valid')
  }

  async function note(): Promise<void> {
    const at = now().getTime()
    if (at - notedAtMs < NOTE_USE_MS || usedAt.size === 0) return
    notedAtMs = at
    const uses = [...usedAt].map(([id, used]) => ({ id, at: used }))
    usedAt.clear()
    await noteUse(uses)
  }

  async function run(): Promise<void> {
    try {
      await look()
      await note()
      isFailing = false
    } catch (err) {
      if (!isFailing) log.warn({ err }, 'the tokens cannot be read: those that were known last still count')
      isFailing = true
    }
  }

  function bearerOf(authorization: string | undefined): Bearer {
    // A proxy in front of us may have asked for a password, and hands it on.
    const [, text] = /^Bearer +(\S+) *$/i.exec(authorization ?? '') ?? []
    if (text === undefined) return null
    const digest = digestOfSecret(text)
    const token = digest === null ? undefined : byDigest.get(digest)
    if (token === undefined || digest === null || !isSame(digest, token.digest)) {
      return { invalid: 'This token is not known here' }
    }
    const at = now().getTime()
    const state = stateOf(token, at)
    if (state !== 'valid') return { invalid: `The token ${token.id} is ${state}: make another one` }
    usedAt.set(token.id, at)
    return token
  }

  await look()
  const end = every(LOOK_AGAIN_MS, () => {
    running ??= run().finally(() => {
      running = null
    })
  })

  return {
    admit(authorization, right) {
      // On the way of every report: where nobody asks who it is, nothing is looked up.
      const bearer = isClosed && right !== 'open' ? bearerOf(authorization) : null
      return authorize(bearer, right, { isClosed, anonymousMayRead })
    },
    doors: () => ({ isClosed, anonymousMayRead }),
    valid: validTokens,
    async stop() {
      end()
      await running
      notedAtMs = Number.NEGATIVE_INFINITY
      await note().catch(() => {}) // it was a minute's worth
    },
  }
}

function isSame(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))
}
