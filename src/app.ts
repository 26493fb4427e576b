import { randomBytes } from 'node:crypto'
import { createAccess } from './access/access.ts'
import { createConfiguredTokens } from './access/configured-tokens.ts'
import { badgeOf, shieldsEndpointOf } from './badge/badge.ts'
import { badgeSvg } from './badge/badge-svg.ts'
import { exampleRequest } from './contract/example-request.ts'
import { formatTime } from './contract/time.ts'
import type { Target } from './domain/report.ts'
import { createFeed } from './feed/feed.ts'
import { createHistory } from './history/history.ts'
import type { Log } from './http/log.ts'
import { BUG } from './http/meter.ts'
import { STATUS } from './http/problem.ts'
import type { AskedBadge } from './http/routes/badge.ts'
import { listen } from './http/server.ts'
import { createIngest } from './ingest/ingest.ts'
import { createKnowledge } from './knowledge.ts'
import { createMetrics } from './metrics/metrics.ts'
import { createPresenceClock } from './presence-clock.ts'
import { createReads } from './read-api.ts'
import type { Every } from './real-time.ts'
import { VERSION } from './reporter/version.ts'
import { type Clocks, createServerClock } from './server-clock.ts'
import { parseSelection, targetsNamedBy } from './snapshot/selection.ts'
import { createSnapshot } from './snapshot/snapshot.ts'
import { openStore } from './store/open-store.ts'
import { beginningOf, perhapsSilentBefore, streamChangeOf } from './stream/beginning.ts'
import { createStream } from './stream/stream.ts'
import { startUpkeep } from './upkeep.ts'
import { DASHBOARD_POLICY, readDashboard } from './web/dashboard.ts'
import { renderPage } from './web/page.ts'

export interface AppConfig {
  readonly host: string
  readonly port: number
  readonly databaseUrl: string
  /** How long to go on serving after saying "not ready", for load balancers to notice. */
  readonly shutdownWaitMs: number
  /** For how long history is kept. 0: for ever. */
  readonly retentionMs: number
  /** Whether only tokens may report from the start. Otherwise from when there is one. */
  readonly auth: 'auto' | 'required'
  /** What those may do who send none, once there are tokens. */
  readonly anonymous: 'read' | 'none'
  /** Of tokens that are part of the configuration. Empty: none. */
  readonly tokensFile: string
}

// More than anyone reads, and quick to show.
const ROWS_ON_PAGE = 500

// What scripts/build-web.ts made.
const DASHBOARD = new URL('../dist/web/', import.meta.url)

// Silence is told in seconds.
const SILENCE_EVERY_MS = 1_000

/** What the product takes from outside. */
export interface World extends Clocks {
  readonly log: Log
  readonly wait: (ms: number) => Promise<void>
  /** Runs it once, after so many milliseconds and never at once. */
  readonly after: (ms: number, run: () => void) => void
  readonly every: Every
}

export interface App {
  readonly url: string
  /** Anybody who reaches it may report and remove targets. */
  readonly isOpen: boolean
  stop(): Promise<void>
}

/**
 * Wires the product together, in the order in which a report travels. Nothing else constructs anything.
 *
 * @throws CannotStart
 */
export async function startApp(config: AppConfig, { log, wait, after, every, ...clocks }: World): Promise<App> {
  const { monotonicMs } = clocks
  const now = createServerClock(clocks, (by_ms) => log.warn({ by_ms }, 'the clock of this machine was set back'))
  const store = await openStore(config.databaseUrl, log, now)
  const feed = createFeed((follower, err) => log.error({ follower, err }, 'a follower of the feed failed'))
  store.subscribe(feed.publish)
  const knowledge = createKnowledge({
    following: store.following,
    now,
    every,
    onLost: () => stream.interrupt('store_unreadable'),
    log,
  })
  const configured = config.tokensFile === '' ? () => null : createConfiguredTokens(config.tokensFile, log)
  const access = await createAccess({
    list: store.tokens.list,
    noteUse: store.tokens.noteUse,
    configured,
    onFewer: () => stream.interrupt('access_changed'),
    isRequired: config.auth === 'required',
    anonymousMayRead: config.anonymous === 'read',
    now,
    every,
    log,
  })
  const metrics = createMetrics({
    access: () => ({ isOpen: !access.doors().isClosed, tokens: access.valid() }),
    targets: () => snapshot.measured(),
    refusals: { ...STATUS, [BUG]: 500 },
    streamClients: () => stream.counts().clients,
    knowledge: () => ({ asOf: knowledge.asOf(), isFollowing: knowledge.isFollowing() }),
    version: VERSION,
    monotonicMs,
  })
  const ingest = createIngest({ append: metrics.meterAppend(store.append), now })

  const known = await store.latest()
  const presence = createPresenceClock({ monotonicMs, every })
  const snapshot = createSnapshot(known, {
    now,
    asOf: knowledge.asOf,
    monotonicMs,
    presentMs: presence.presentMs,
    unseenMs: () => store.following()?.unconfirmedMs ?? 0,
  })
  feed.follow('snapshot', snapshot.follow)

  const stream = createStream({
    server: randomBytes(6).toString('hex'),
    beginning: beginningOf(known),
    epochs: store.epochs,
    rowText: snapshot.rowText,
    asOf: knowledge.asOf,
    refuseIfBehind: knowledge.refuseIfBehind,
    now,
    monotonicMs,
    after,
  })
  stream.follow(perhapsSilentBefore(known, now()))
  feed.follow('stream', (changes) => stream.follow(changes.map(streamChangeOf)))
  const stopListening = every(SILENCE_EVERY_MS, () => {
    stream.follow(snapshot.newlySilent().map((target) => ({ target, event: 'target', seq: null })))
  })

  async function badgeFor({ label, within, ...named }: AskedBadge) {
    // A picture of only those that drift would say "never reported" once they are mended.
    const shown = await snapshot.summary(parseSelection(named, within))
    return badgeOf({ ...shown, isKnown: knowledge.isFollowing() }, label)
  }

  async function remove(target: Target, at: Date, who: string | null): Promise<boolean> {
    if (!(await store.remove(target, at))) return false
    const subject = `${target.repo} on ${target.server}`
    const entry = { at: at.getTime(), actor: who ?? 'anybody', action: 'target.remove', subject } as const
    // It is gone, and whoever asked must hear so.
    await store.tokens.audit(entry).catch((err: unknown) => log.error({ err, ...entry }, 'not in the audit log'))
    return true
  }

  const dashboard = readDashboard(DASHBOARD)
  if (dashboard === null) log.warn({}, 'the dashboard was not built: npm run build. The plain page stands in for it')

  const http = await listen({
    host: config.host,
    port: config.port,
    ingest: metrics.meterIngest(ingest),
    admit: access.admit,
    auditLog: store.tokens.auditLog,
    ...createReads({ snapshot, history: createHistory(store, now), remove, now }),
    version: VERSION,
    dashboardPage: dashboard && ((base) => ({ html: dashboard.page(base), policy: DASHBOARD_POLICY })),
    plainPage: async (address) =>
      renderPage({
        ...(await snapshot.worst(ROWS_ON_PAGE)),
        isBehind: !knowledge.isFollowing(),
        example: exampleRequest(address, formatTime(now())),
      }),
    assets: dashboard?.assets ?? new Map(),
    badgeSvg: async (query) => badgeSvg(await badgeFor(query)),
    badgeJson: async (query) => shieldsEndpointOf(await badgeFor(query)),
    events: { open: stream.open, filter: ({ within, ...named }) => targetsNamedBy(parseSelection(named, within)) },
    exposition: metrics.exposition,
    meter: metrics,
    checkReady: async () => {
      knowledge.refuseIfBehind()
      await store.touch(now())
    },
    secondsBehind: knowledge.secondsBehind,
    monotonicMs,
    log,
  }).catch(async (error: unknown) => {
    presence.stop()
    stopListening()
    knowledge.stop()
    await access.stop()
    metrics.stop()
    await store.close()
    throw error
  })

  const upkeep = startUpkeep({ store, retentionMs: config.retentionMs, now, monotonicMs, every, log })

  return {
    url: http.url,
    isOpen: !access.doors().isClosed,
    async stop() {
      http.announceStop()
      await wait(config.shutdownWaitMs)
      stopListening()
      knowledge.stop()
      await stream.stop()
      await http.close()
      presence.stop()
      await upkeep.stop()
      await access.stop()
      metrics.stop()
      await store.close()
    },
  }
}
