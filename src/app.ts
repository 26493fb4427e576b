import { randomBytes } from 'node:crypto'
import { badgeOf, shieldsEndpointOf } from './badge/badge.ts'
import { badgeSvg } from './badge/badge-svg.ts'
import { exampleRequest } from './contract/example-request.ts'
import { formatTime } from './contract/time.ts'
import { createFeed } from './feed/feed.ts'
import { createHistory } from './history/history.ts'
import type { Log } from './http/log.ts'
import { BUG } from './http/meter.ts'
import { STATUS } from './http/problem.ts'
import { listen } from './http/server.ts'
import { createIngest } from './ingest/ingest.ts'
import { createKnowledge } from './knowledge.ts'
import { createMetrics } from './metrics/metrics.ts'
import { createPresenceClock } from './presence-clock.ts'
import { createReads } from './read-api.ts'
import type { Every } from './real-time.ts'
import { VERSION } from './reporter/version.ts'
import { type Clocks, createServerClock } from './server-clock.ts'
import { parseSelection, type Query, targetsNamedBy } from './snapshot/selection.ts'
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
    onLost: () => stream.interrupt(),
    log,
  })
  const metrics = createMetrics({
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

  async function badgeFor({ repo, server, label }: Query) {
    // A picture of only those that drift would say "never reported" once they are mended.
    const shown = await snapshot.summary(parseSelection({ repo, server }))
    return badgeOf({ ...shown, isKnown: knowledge.isFollowing() }, [label].flat()[0])
  }

  const dashboard = readDashboard(DASHBOARD)
  if (dashboard === null) log.warn({}, 'the dashboard was not built: npm run build. The plain page stands in for it')

  const http = await listen({
    host: config.host,
    port: config.port,
    ingest: metrics.meterIngest(ingest),
    ...createReads({ snapshot, history: createHistory(store, now), remove: store.remove, now }),
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
    events: { open: stream.open, filter: (query) => targetsNamedBy(parseSelection(query)) },
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
    metrics.stop()
    await store.close()
    throw error
  })

  const upkeep = startUpkeep({ store, retentionMs: config.retentionMs, now, monotonicMs, every, log })

  return {
    url: http.url,
    async stop() {
      http.announceStop()
      await wait(config.shutdownWaitMs)
      stopListening()
      knowledge.stop()
      await stream.stop()
      await http.close()
      presence.stop()
      await upkeep.stop()
      metrics.stop()
      await store.close()
    },
  }
}
