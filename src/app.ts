import { badgeOf, shieldsEndpointOf } from './badge/badge.ts'
import { badgeSvg } from './badge/badge-svg.ts'
import { exampleRequest } from './contract/example-request.ts'
import { createFeed } from './feed/feed.ts'
import type { Log } from './http/log.ts'
import { BUG } from './http/meter.ts'
import { STATUS } from './http/problem.ts'
import { listen } from './http/server.ts'
import { createIngest } from './ingest/ingest.ts'
import { createMetrics } from './metrics/metrics.ts'
import { VERSION } from './reporter/version.ts'
import { type Clocks, createServerClock } from './server-clock.ts'
import { EVERYTHING, parseSelection, type Query } from './snapshot/selection.ts'
import { createSnapshot } from './snapshot/snapshot.ts'
import { openStore } from './store/open-store.ts'
import { renderPage } from './web/page.ts'

export interface AppConfig {
  readonly host: string
  readonly port: number
  readonly databaseUrl: string
  /** How long to go on serving after saying "not ready", for load balancers to notice. */
  readonly shutdownWaitMs: number
}

/** What the product takes from outside. */
export interface World extends Clocks {
  readonly log: Log
  readonly wait: (ms: number) => Promise<void>
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
export async function startApp(config: AppConfig, { log, wait, ...clocks }: World): Promise<App> {
  const { monotonicMs } = clocks
  const now = createServerClock(clocks, (by_ms) => log.warn({ by_ms }, 'the clock of this machine was set back'))
  const store = await openStore(config.databaseUrl)
  const feed = createFeed((follower, err) => log.error({ follower, err }, 'a follower of the feed failed'))
  store.subscribe(feed.publish)
  const metrics = createMetrics({
    targets: () => snapshot.measured(),
    refusals: { ...STATUS, [BUG]: 500 },
    version: VERSION,
    monotonicMs,
  })
  const ingest = createIngest({ append: metrics.meterAppend(store.append), now })

  const snapshot = createSnapshot(await store.latest(), { now, monotonicMs })
  feed.follow('snapshot', snapshot.follow)

  function badgeFor({ repo, server, label }: Query) {
    // A picture of only those that drift would say "never reported" once they are mended.
    return badgeOf(snapshot.summary(parseSelection({ repo, server })), [label].flat()[0])
  }

  const http = await listen({
    host: config.host,
    port: config.port,
    ingest: metrics.meterIngest(ingest),
    statusJson: async (query) => snapshot.rendered(parseSelection(query)),
    page: (address) => renderPage({ status: snapshot.statusJson(EVERYTHING), example: exampleRequest(address, now()) }),
    badgeSvg: (query) => badgeSvg(badgeFor(query)),
    badgeJson: (query) => shieldsEndpointOf(badgeFor(query)),
    exposition: metrics.exposition,
    meter: metrics,
    checkWritable: () => store.touch(now()),
    monotonicMs,
    log,
  }).catch(async (error: unknown) => {
    metrics.stop()
    await store.close()
    throw error
  })

  return {
    url: http.url,
    async stop() {
      http.announceStop()
      await wait(config.shutdownWaitMs)
      await http.close()
      metrics.stop()
      await store.close()
    },
  }
}
