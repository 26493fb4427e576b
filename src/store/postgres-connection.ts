import { setTimeout as wait } from 'node:timers/promises'
import { Client, type ClientConfig, DatabaseError, types } from 'pg'
import { Fault } from '../domain/fault.ts'

/** Static words, data in fields. */
export interface StoreLog {
  info(fields: object, words: string): void
  warn(fields: object, words: string): void
}

// Whoever waits for the database waits five seconds at most: for a connection, and then for what is done on it. The
// server gives up before we do, so that nothing goes on there that nobody waits for here.
const CONNECT_MS = 2_000
const RECONNECTED_MS = 1_000
const DEADLINE_MS = 3_900
const LOOK_UP_MS = 3_000

// A server that stands still in the middle of a transaction keeps the others from writing for so long.
const STANDS_STILL_MS = 2_000

const SESSION = `
  SET statement_timeout = ${LOOK_UP_MS};
  SET lock_timeout = ${LOOK_UP_MS};
  SET idle_in_transaction_session_timeout = ${STANDS_STILL_MS};
  -- What was acknowledged must be on the disk. Every other setting than off waits for that, some for other machines too.
  SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1_000

// At once: more history than this is not looked up on one server, and each holds memory in PostgreSQL.
const LOOKING_UP = 3

/** One connection for the time of one piece of work. */
export interface Session {
  /** @throws Fault `store_unavailable` */
  rows<Row>(text: string, values?: readonly unknown[]): Promise<Row[]>
  /**
   * Several statements in one round trip: the rows of each. A statement without rows is in the answer, too.
   *
   * @throws Fault `store_unavailable`
   */
  script(text: string): Promise<unknown[][]>
}

/** @throws TypeError when it is no URL, without saying what it is: it may hold a password */
export function connectionConfig(databaseUrl: string): ClientConfig {
  if (!URL.canParse(databaseUrl)) throw new TypeError('not a URL')
  return {
    connectionString: databaseUrl,
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    fallback_application_name: 'gitops-status-server',
    types: {
      getTypeParser: (oid, format) => (oid === types.builtins.INT8 ? Number : types.getTypeParser(oid, format)),
    },
  }
}

/**
 * A connection with our settings.
 *
 * @throws what the driver throws
 */
export async function connect(config: ClientConfig): Promise<Client> {
  const client = new Client(config)
  client.on('error', () => {}) // the query that runs fails, too, and `end` follows
  const giveUp = setTimeout(() => destroy(client), CONNECT_MS)
  try {
    await client.connect()
    await client.query(SESSION)
    return client
  } catch (error) {
    destroy(client)
    throw error
  } finally {
    clearTimeout(giveUp)
  }
}

/** Ends a connection at once, also one that nobody answers on. */
export function destroy(client: Client): void {
  client.connection.stream.destroy()
}

export function sessionOn(client: Client, onBroken: () => void = () => {}): Session {
  async function ask<Result>(query: () => Promise<Result>): Promise<Result> {
    try {
      return await query()
    } catch (error) {
      if (!leavesConnection(error)) onBroken()
      throw unavailable(error)
    }
  }
  return {
    rows: (text, values = []) => ask(async () => (await client.query(text, [...values])).rows),
    script: (text) =>
      ask(async () => {
        const results: unknown = await client.query(text)
        const all = Array.isArray(results) ? results : [results]
        return all.map(({ rows }) => rows)
      }),
  }
}

/** One connection that is replaced when it is lost. */
export interface Line {
  /**
   * For one at a time. What a work that fails has begun is rolled back.
   *
   * @throws Fault `store_unavailable`
   */
  use<Result>(work: (session: Session) => Promise<Result>): Promise<Result>
  close(): void
}

/**
 * Connecting until it is connected; connected until that is lost, and then connecting again.
 *
 * While it is connecting, work waits for a moment and is refused then: those who waited in vain for the one who noticed
 * must not wait again as long.
 */
export function keepConnected(open: () => Promise<Client>, log: StoreLog): Line {
  let current = Promise.withResolvers<Client>()
  let isDown = false
  const closing = new AbortController()

  async function reconnect(): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; !closing.signal.aborted; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        take(await open())
        return
      } catch (error) {
        if (!isDown) log.warn({ reason: reasonOf(error) }, 'PostgreSQL cannot be reached')
        isDown = true
        await wait(pauseMs, undefined, { signal: closing.signal }).catch(() => {})
      }
    }
  }

  function take(client: Client): void {
    if (closing.signal.aborted) {
      destroy(client)
      return
    }
    if (isDown) log.info({}, 'PostgreSQL is back')
    isDown = false
    const taken = current
    client.once('end', () => lose(taken, client))
    taken.resolve(client)
  }

  function lose(taken: PromiseWithResolvers<Client>, client: Client): void {
    destroy(client)
    if (taken !== current) return // known already
    current = Promise.withResolvers<Client>()
    void reconnect()
  }

  void reconnect()

  return {
    async use(work) {
      if (closing.signal.aborted) throw unavailable(new Error('closed'))
      const taken = current
      const client = await within(RECONNECTED_MS, taken.promise)
      if (client === null) throw unavailable(new Error('not connected'))
      return onClient(client, DEADLINE_MS, work, () => lose(taken, client))
    },
    close() {
      closing.abort()
      void current.promise.then(destroy)
    },
  }
}

/** Connections for looking things up, so that no commit waits for a question about last month. */
export interface Readers {
  /** @throws Fault `store_unavailable` */
  use<Result>(work: (session: Session) => Promise<Result>, deadlineMs?: number): Promise<Result>
  close(): void
}

/** Opened when they are needed, and kept. A piece of work waits for one of the others when so many are busy. */
export function openReaders(open: () => Promise<Client>): Readers {
  const idle = new Set<Client>()
  const waiting: (() => void)[] = []
  let busy = 0
  let isClosed = false

  async function takeSeat(): Promise<void> {
    if (busy < LOOKING_UP) {
      busy++
      return
    }
    const { promise, resolve } = Promise.withResolvers<true>()
    const taken = () => resolve(true)
    waiting.push(taken)
    if ((await within(RECONNECTED_MS, promise)) === true) return
    const place = waiting.indexOf(taken)
    if (place === -1) return // it was given to us in this very moment
    waiting.splice(place, 1)
    throw unavailable(new Error('all connections are busy'))
  }

  function leaveSeat(): void {
    const next = waiting.shift()
    if (next === undefined) busy--
    else next()
  }

  async function idleOrNew(): Promise<Client> {
    const [kept] = idle
    if (kept !== undefined) {
      idle.delete(kept)
      return kept
    }
    try {
      const client = await open()
      client.once('end', () => idle.delete(client))
      return client
    } catch (error) {
      throw unavailable(error)
    }
  }

  return {
    async use(work, deadlineMs = LOOK_UP_MS) {
      if (isClosed) throw unavailable(new Error('closed'))
      await takeSeat()
      try {
        const client = await idleOrNew()
        let isBroken = false
        try {
          return await onClient(client, deadlineMs, work, () => {
            isBroken = true
            destroy(client)
          })
        } finally {
          if (isClosed) destroy(client)
          else if (!isBroken) idle.add(client)
        }
      } finally {
        leaveSeat()
      }
    },
    close() {
      isClosed = true
      for (const client of idle) destroy(client)
    },
  }
}

/** Null when it takes longer. */
async function within<Value>(ms: number, promise: Promise<Value>): Promise<Value | null> {
  const { promise: tooLate, resolve } = Promise.withResolvers<null>()
  const timer = setTimeout(resolve, ms, null)
  try {
    return await Promise.race([promise, tooLate])
  } finally {
    clearTimeout(timer)
  }
}

async function onClient<Result>(
  client: Client,
  deadlineMs: number,
  work: (session: Session) => Promise<Result>,
  onBroken: () => void,
): Promise<Result> {
  const session = sessionOn(client, onBroken)
  const deadline = setTimeout(onBroken, deadlineMs)
  try {
    return await work(session)
  } catch (error) {
    await session.script('ROLLBACK').catch(() => {}) // it is broken then, and replaced
    throw error
  } finally {
    clearTimeout(deadline)
  }
}

/** Our own mistake, a timeout of a statement or a lock: the connection can go on. */
function leavesConnection(error: unknown): boolean {
  return error instanceof DatabaseError && /^(22|23|40|42|55|57014)/.test(error.code ?? '')
}

function unavailable(error: unknown): Fault {
  return new Fault(
    'store_unavailable',
    'The report store cannot be reached now. Send it again: it is recorded once, however often it comes.',
    { cause: new Error(reasonOf(error)) },
  )
}

/** The driver's or PostgreSQL's words, in one line. Its details may quote reports and are left out. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0])
  if (error instanceof Fault && error.cause !== undefined) return reasonOf(error.cause)
  if (!(error instanceof Error)) return String(error)
  const [line = ''] = error.message.split('\n', 1)
  const code = error instanceof DatabaseError && error.code !== undefined ? ` (SQLSTATE ${error.code})` : ''
  return line.slice(0, 200) + code
}
