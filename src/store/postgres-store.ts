import { setTimeout as wait } from 'node:timers/promises'
import type { Client, ClientConfig } from 'pg'
import { digestOf } from '../contract/content.ts'
import type { ReportBody } from '../contract/report.ts'
import { CannotStart } from '../domain/cannot-start.ts'
import type { Epoch } from '../domain/epoch.ts'
import { Fault } from '../domain/fault.ts'
import type { Change } from '../domain/recorded.ts'
import type { TargetRecord } from '../domain/target-record.ts'
import { Changes } from './changes.ts'
import { openIn, rangeOf, withOpenEpisodes, withOpenPeriods, withOpenStates } from './history.ts'
import { Ledger } from './ledger.ts'
import { Lineage, newEpochName } from './lineage.ts'
import {
  connect,
  connectionConfig,
  destroy,
  keepConnected,
  openReaders,
  reasonOf,
  type Session,
  type StoreLog,
  sessionOn,
} from './postgres-connection.ts'
import {
  type Known,
  lockFeed,
  type News,
  newestSeq,
  PAGE,
  readAll,
  readEpisodesIn,
  readNews,
  readPeriodsIn,
  readStatesAt,
} from './postgres-reader.ts'
import { migrate } from './postgres-schema.ts'
import { createPostgresTokens } from './postgres-tokens.ts'
import { begin, lateArrivals, prune, pruneContents, remove, touch, unusedContents, write } from './postgres-writer.ts'
import { DamagedRow, writesOf } from './rows.ts'
import type { HistoryQuery, Store } from './store.ts'
import type { TokenStore } from './token-store.ts'

// Each server shows what another one recorded within two seconds, also where nothing wakes it.
const POLL_MS = 1_000

const PRUNED_AT_ONCE = 2_000
// The others go next time.
const CONTENTS_PRUNED_EACH_TIME = 200_000
const LOOK_FOR_CONTENTS_MS = 60_000

// A server that migrates a large database keeps those that start with it waiting.
const MIGRATION_MS = 600_000

/**
 * A schema of a PostgreSQL database, which several servers may share.
 *
 * Each server decides by its own ledger what reports change. So whoever writes holds the lock of the one row of `feed`,
 * and first takes over what others have recorded: then its ledger is what the database holds, and nobody else's report
 * can come in between. A commit whose answer was lost is found in the same way.
 *
 * A database is put back to an earlier state behind our back only while we have no connection to it. So each connection
 * that writes makes sure first that this is the database that we know, and begins an epoch with its first change.
 *
 * @throws CannotStart
 */
export async function openPostgresStore(
  databaseUrl: string,
  log: StoreLog,
  now: () => Date = () => new Date(),
): Promise<Store> {
  const ledger = new Ledger()
  let confirmed = moment()
  const { config, channel, ...opened } = await open(databaseUrl, ledger, log)
  const lineage = new Lineage()
  lineage.add(opened.epochs)
  let connections = 0
  let begunOn = 0 // the last of them that has begun an epoch
  const writing = keepConnected(async () => {
    const client = await connect(config)
    connections++
    return client
  }, log)
  const readers = openReaders(() => connect(config))

  const told = new Changes()
  let aliveAt = opened.aliveAt === null ? null : new Date(opened.aliveAt)
  const closing = new AbortController()

  function moment(): Moment {
    return { at: now(), monotonicMs: performance.now() }
  }

  /** Everything that was recorded before this moment is known: a question that was asked then has been answered. */
  function confirm(asked: Moment): void {
    if (asked.monotonicMs > confirmed.monotonicMs) confirmed = asked
  }

  /** Others' changes, which are told like our own. A target that changed several times comes once, as it is now. */
  function takeOver({ upTo, changes, epochs }: News): void {
    const known = ledger.seq
    if (!lineage.isOursUpTo(known, epochs)) stop(`The database is not what it was at change ${known}`)
    lineage.add(epochs)
    const heard: Change<ReportBody>[] = []
    for (const one of changes) {
      if (one.seq <= known) continue // it was taken over while this was on its way
      if ('record' in one) {
        const before = ledger.account(one.record.newest.report.target)?.record
        ledger.load(one)
        heard.push({ seq: one.seq, ...whatChanged(before, one.record), before, after: one.record })
      } else {
        const { seq, repo, server } = one
        ledger.forget({ repo, server })
        heard.push({ seq, removed: { repo, server } })
      }
    }
    ledger.reach(upTo)
    told.publish(heard)
  }

  function whatIsKnown(): Known {
    return { seq: ledger.seq, epochAfter: lineage.newestAfter }
  }

  /** Resolves when this server knows what was recorded before the call. */
  function catchUp(): Promise<void> {
    return readers.use(async (session) => {
      for (;;) {
        const known = ledger.seq
        const asked = moment()
        const newest = await newestSeq(session)
        stopIfLost(newest, known)
        if (newest <= ledger.seq) {
          confirm(asked)
          return
        }
        const news = await readNews(session, whatIsKnown(), false)
        await told.inTurn(() => takeOver(news))
        // Whoever is told without a break would otherwise never get to the end.
        if (news.upTo === news.seq) confirm(asked)
      }
    })
  }

  /** In a transaction that holds the lock, with a ledger that is what the database holds. */
  function inLock<Result>(work: (session: Session) => Promise<Result>): Promise<Result> {
    return writing.use(async (session) => {
      for (;;) {
        const asked = moment()
        const newest = await lockFeed(session)
        stopIfLost(newest, ledger.seq)
        const isFarBehind = newest - ledger.seq > PAGE
        // Nobody else has to wait while much is read.
        if (isFarBehind) await session.script('COMMIT')
        if (newest > ledger.seq || begunOn !== connections) {
          takeOver(await readNews(session, whatIsKnown(), !isFarBehind))
        }
        if (!isFarBehind) {
          confirm(asked)
          return work(session)
        }
      }
    })
  }

  // PostgreSQL wakes the others when they can see the commit, and not when there is none.
  async function commit(session: Session, seq: number): Promise<void> {
    const connection = connections
    const begins: Epoch | null = begunOn === connection ? null : { name: newEpochName(), after: ledger.seq }
    if (begins !== null) await begin(session, begins)
    await session.script(channel === null ? 'COMMIT' : `SELECT pg_notify('${channel}', '${seq}'); COMMIT`)
    begunOn = connection
    if (begins !== null) lineage.add([begins])
  }

  /** What lasts, and then what is over: see `openIn`. */
  async function readHistory<Result>(read: (session: Session) => Promise<Result>, query?: HistoryQuery) {
    try {
      await catchUp()
      const lasting = openIn(ledger, query)
      return { lasting, ...(await readers.use(read)) }
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      throw new Fault('store_unreadable', 'The report store cannot be read now: ask again', { cause: error.cause })
    }
  }

  let isFollowing = false
  let followAgain = false
  async function follow(): Promise<void> {
    followAgain = true
    if (isFollowing) return
    isFollowing = true
    while (followAgain && !closing.signal.aborted) {
      followAgain = false
      await catchUp().catch((error: unknown) => {
        if (!(error instanceof Fault))
          log.warn({ reason: reasonOf(error) }, 'what other servers recorded is unreadable')
      })
    }
    isFollowing = false
  }

  async function poll(): Promise<void> {
    while (!closing.signal.aborted) {
      await wait(POLL_MS, undefined, { signal: closing.signal, ref: false }).catch(() => {})
      await follow()
    }
  }

  const listening = channel === null ? null : keepConnected(() => listen(config, channel, woken), SILENT)
  function woken(seq: number): void {
    if (seq > ledger.seq) void follow()
  }
  const polling = poll()

  return {
    append: (received) =>
      told.inTurn(async () => {
        const planned = await inLock(async (session) => {
          const plan = await ledger.planKnowing(received, (unsure) => lateArrivals(session, unsure))
          const seq = plan.changes.at(-1)?.seq ?? ledger.seq
          if (plan.accounts.length > 0 || plan.late.length > 0) {
            await write(session, seq, writesOf(plan))
          }
          if (plan.accounts.length > 0) await commit(session, seq)
          else await session.script('COMMIT')
          return plan
        })
        ledger.apply(planned)
        told.publish(planned.changes)
        return [...planned.appended]
      }),

    remove: ({ repo, server }, at) =>
      told.inTurn(async () => {
        const seq = await inLock(async (session) => {
          const account = ledger.account({ repo, server })
          const seq = ledger.seq + 1
          if (account === undefined) await session.script('COMMIT')
          else {
            await remove(session, { repo, server, id: account.id, seq, at: at.getTime() })
            await commit(session, seq)
          }
          return account === undefined ? null : seq
        })
        if (seq === null) return false
        ledger.forget({ repo, server })
        ledger.reach(seq)
        told.publish([{ seq, removed: { repo, server } }])
        return true
      }),

    async latest() {
      return { records: [...ledger.accounts()], seq: ledger.seq, aliveAt }
    },

    subscribe: told.subscribe,

    epochs: () => lineage.epochs,

    following: () => ({ asOf: confirmed.at, unconfirmedMs: performance.now() - confirmed.monotonicMs }),

    async statesAt(at) {
      const { lasting, closed } = await readHistory((session) => readStatesAt(session, at.getTime()))
      return withOpenStates(lasting, at, closed)
    },

    async periods(query) {
      const { lasting, closed } = await readHistory((session) => readPeriodsIn(session, rangeOf(ledger, query)), query)
      return withOpenPeriods(lasting, query, closed)
    },

    async episodes(query) {
      const { lasting, closed } = await readHistory((session) => readEpisodesIn(session, rangeOf(ledger, query)), query)
      return withOpenEpisodes(lasting, query, closed)
    },

    async prune(before) {
      let pruned = 0
      for (;;) {
        const rows = await readers.use((session) => prune(session, before.getTime(), PRUNED_AT_ONCE))
        pruned += rows
        if (rows === 0) break
      }
      const unused = await readers.use(
        (session) => unusedContents(session, CONTENTS_PRUNED_EACH_TIME, LOOK_FOR_CONTENTS_MS),
        LOOK_FOR_CONTENTS_MS,
      )
      for (let at = 0; at < unused.length; at += PRUNED_AT_ONCE) {
        const digests = unused.slice(at, at + PRUNED_AT_ONCE)
        await readers.use((session) => pruneContents(session, digests))
      }
      return pruned
    },

    async touch(at) {
      await readers.use((session) => touch(session, at.getTime()))
      aliveAt = at
    },

    tokens: createPostgresTokens((work) => readers.use(work)),

    async close() {
      closing.abort()
      await told.settled()
      await polling
      writing.close()
      listening?.close()
      readers.close()
    },
  }
}

/** Which report made a record what it is: its newest one, or one that came late and is its newest finding all the same. */
function whatChanged(before: TargetRecord<ReportBody> | undefined, { newest, lastKnown }: TargetRecord<ReportBody>) {
  const applied =
    before === undefined ||
    before.newest.arrivedAt.getTime() !== newest.arrivedAt.getTime() ||
    before.newest.report.checkedAt.getTime() !== newest.report.checkedAt.getTime()
  return { received: applied || lastKnown === null ? newest : lastKnown, applied }
}

interface Moment {
  readonly at: Date
  readonly monotonicMs: number
}

interface Opened {
  readonly config: ClientConfig
  /** Where those who write wake the others; null when this database has nothing of the kind. */
  readonly channel: string | null
  readonly aliveAt: number | null
  readonly epochs: readonly Epoch[]
}

/**
 * The tokens of a schema that servers may be using.
 *
 * @throws CannotStart
 */
export async function openPostgresTokens(databaseUrl: string): Promise<{ tokens: TokenStore; close(): Promise<void> }> {
  const config = await onNewConnection(databaseUrl, async (client, name, config) => {
    await migrateOn(sessionOn(client), name)
    return config
  })
  const readers = openReaders(() => connect(config))
  return { tokens: createPostgresTokens((work) => readers.use(work)), close: async () => readers.close() }
}

function open(databaseUrl: string, ledger: Ledger, log: StoreLog): Promise<Opened> {
  return onNewConnection(databaseUrl, async (client, name, config) => ({
    config,
    ...(await takeOverAll(client, name, ledger, log)),
  }))
}

/** @throws CannotStart */
async function onNewConnection<Result>(
  databaseUrl: string,
  work: (client: Client, name: string, config: ClientConfig) => Promise<Result>,
): Promise<Result> {
  let name = 'of that URL'
  try {
    const config = connectionConfig(databaseUrl)
    name = nameOf(databaseUrl)
    const client = await connect(config)
    try {
      return await work(client, name, config)
    } finally {
      destroy(client)
    }
  } catch (cause) {
    if (cause instanceof CannotStart) throw cause
    if (cause instanceof DamagedRow) {
      throw new CannotStart(`The database ${name} is damaged (${cause.message}): restore a backup`)
    }
    // Not the cause itself: the driver may keep the URL in it.
    throw new CannotStart(
      `The database ${name} cannot be used (${reasonOf(cause)}): see that PostgreSQL runs there and lets us in, or give another URL`,
    )
  }
}

async function takeOverAll(client: Client, name: string, ledger: Ledger, log: StoreLog) {
  const session = sessionOn(client)
  const [server] = await session.rows<{ schema: string | null; encoding: string; fsync: string | null }>(
    `SELECT current_schema() AS schema, current_setting('server_encoding', true) AS encoding,
       current_setting('fsync', true) AS fsync`,
  )
  if (!server?.schema) throw new CannotStart(`The database ${name} has no schema of its search_path: create it`)
  if (server.encoding !== 'UTF8') {
    throw new CannotStart(`The database ${name} is encoded in ${server.encoding}: create one with ENCODING 'UTF8'`)
  }
  if (server.fsync === 'off') {
    log.warn({ database: name }, 'PostgreSQL runs with fsync off: what is acknowledged is not safe on its disk')
  }
  await migrateOn(session, name)
  const { seq, aliveAt, epochs } = await readAll(session, (accounts) => {
    for (const account of accounts) ledger.load(account)
  })
  ledger.reach(seq)
  return { channel: await channelOn(session, server.schema, log), aliveAt, epochs }
}

async function migrateOn(session: Session, name: string): Promise<void> {
  await session.script(`SET lock_timeout = ${MIGRATION_MS}; SET statement_timeout = ${MIGRATION_MS}`)
  await migrate(session, name)
}

// A name has 63 bytes at most, and so may the schema's have.
async function channelOn(session: Session, schema: string, log: StoreLog): Promise<string | null> {
  const channel = `gitops_status_${digestOf(schema)}`
  try {
    await session.script(`LISTEN "${channel}"; UNLISTEN "${channel}"`)
    return channel
  } catch (error) {
    log.warn({ reason: reasonOf(error) }, 'the database cannot wake us: it is asked every second')
    return null
  }
}

async function listen(config: ClientConfig, channel: string, woken: (seq: number) => void): Promise<Client> {
  const client = await connect(config)
  client.on('notification', ({ payload }) => woken(Number(payload)))
  await client.query(`LISTEN "${channel}"`)
  woken(Number.POSITIVE_INFINITY) // whatever was recorded while nobody listened
  return client
}

// The connection that writes says it already.
const SILENT: StoreLog = { info() {}, warn() {} }

/**
 * A database that was put back to an earlier state, by a restore or by a standby that took over without the newest
 * commits, no longer has what is shown here. Only a new start shows the truth again.
 */
function stopIfLost(newest: number, known: number): void {
  if (newest < known) stop(`The database went back from change ${known} to ${newest}`)
}

function stop(why: string): never {
  const error = new CannotStart(`${why}, as if a backup had been restored: start the server anew`)
  setImmediate(() => {
    throw error
  })
  throw error
}

/** For messages: without the user and the password. */
function nameOf(databaseUrl: string): string {
  const { host, pathname } = new URL(databaseUrl)
  return `postgres://${host}${pathname}`
}
