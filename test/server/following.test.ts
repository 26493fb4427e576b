import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { aBody } from './a-report.ts'
import { aWayTo } from './cut-off.ts'
import { createEventReader, type SeenEvent } from './event-reader.ts'
import { NO_POSTGRES, type PostgresCluster, startPostgres } from './postgres-cluster.ts'
import { get, post } from './start-app.ts'
import { type RunningServer, startServer } from './start-server.ts'

let cluster: PostgresCluster
before(async () => {
  if (!NO_POSTGRES) cluster = await startPostgres()
})
after(() => cluster?.stop())

async function start(t: TestContext, database: string): Promise<RunningServer> {
  const server = await startServer({ database, args: ['--shutdown-wait', '0'] })
  t.after(() => server.process.kill('SIGKILL'))
  return server
}

async function until(is: () => boolean | Promise<boolean>): Promise<void> {
  const begun = performance.now()
  while (!(await is())) {
    assert.ok(performance.now() - begun < 20_000, 'not within 20 s')
    await wait(20)
  }
}

/** What a client hears until its stream ends. */
async function listen(url: string, heard: SeenEvent[]): Promise<void> {
  const response = await fetch(`${url}/api/v1/events`)
  assert.equal(response.status, 200)
  const read = createEventReader()
  for await (const piece of response.body ?? []) heard.push(...read(Buffer.from(piece).toString()))
}

async function textAt(url: string): Promise<string> {
  return (await fetch(url)).text()
}

/** What stands in a label-less series. */
async function sample(url: string, name: string): Promise<number> {
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(await textAt(`${url}/metrics`))?.[1])
}

const now = () => `${new Date().toISOString().slice(0, 19)}Z`
const OF_NOW = ['/status.json', '/status.json?repo=rsyslog', '/api/v1/status', '/api/v1/files', '/api/v1/targets']

describe('a server that cannot read its database any more', { skip: NO_POSTGRES }, () => {
  it('says as of when it knows what it shows, wherever it shows it, while another one takes reports', async (t) => {
    const database = await cluster.newSchema()
    await using way = await aWayTo(database)
    const [well, cutOff] = await Promise.all([start(t, database), start(t, way.url)])
    await post(well.url, aBody({ last_check: now() }))
    await until(async () => (await get(cutOff.url, '/status.json')).body.sync_status === 'SYNCED')
    assert.equal((await get(cutOff.url, '/status.json')).headers.get('age'), null)
    assert.equal(await sample(cutOff.url, 'gitops_status_store_following'), 1)
    const heard: SeenEvent[] = []
    const stream = listen(cutOff.url, heard)
    await until(() => heard.some(({ event }) => event === 'ready'))

    way.cut()
    const cutAt = Date.now()
    const drift = aBody({ last_check: now(), files: [{ name: 'rsyslog.conf' }] })
    assert.equal((await post(well.url, drift)).status, 200)
    await stream
    const toldAfterMs = Date.now() - cutAt

    const { status, body } = await get(cutOff.url, '/status.json')
    assert.deepEqual([status, body.sync_status], [200, 'SYNCED'], 'what it knows stays on show')
    assert.ok(Date.parse(body.generated_at) <= cutAt)
    const { event, data } = heard.at(-1) ?? {}
    assert.deepEqual([event, data], ['closing', { reason: 'store_unreadable', generated_at: body.generated_at }])
    for (const path of OF_NOW) {
      const answer = await get(cutOff.url, path)
      assert.equal(answer.status, 200, path)
      assert.ok(Number(answer.headers.get('age')) >= 5, path)
    }
    const refused = await get(cutOff.url, '/api/v1/events')
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '5'])
    assert.match(refused.body.detail, /cannot read now what is recorded/)
    assert.equal((await get(cutOff.url, '/readyz')).status, 503)
    assert.equal((await get(cutOff.url, '/livez')).status, 200)
    assert.equal((await get(cutOff.url, '/badge.json')).body.message, 'unknown')
    assert.match(await textAt(`${cutOff.url}/plain`), /<strong>This server cannot read its database\.<\/strong>/)
    assert.equal(await sample(cutOff.url, 'gitops_status_store_following'), 0)
    const knownUntil = await sample(cutOff.url, 'gitops_status_store_known_until_timestamp_seconds')
    assert.equal(Math.floor(knownUntil), Date.parse(body.generated_at) / 1_000)
    assert.equal((await get(cutOff.url, '/status.json')).body.generated_at, body.generated_at, 'it stands still')
    assert.equal(await sample(well.url, 'gitops_status_store_following'), 1)

    way.mend()
    const mendedAt = Date.now()
    await until(async () => (await get(cutOff.url, '/readyz')).status === 200)
    const after = await get(cutOff.url, '/status.json')
    assert.deepEqual([after.body.sync_status, after.headers.get('age')], ['OUT_OF_SYNC', null])
    assert.ok(Date.parse(after.body.generated_at) >= mendedAt - 1_000)
    assert.ok(after.body.contact_age_seconds >= 5, 'since the report came to the other one')
    t.diagnostic(
      `its streams ended ${toldAfterMs} ms after the cut, well ${Date.now() - mendedAt} ms after it was mended`,
    )
    for (const words of ['cannot be read any more', 'can be read again']) {
      const said = () => cutOff.lines.filter((line) => line.includes(`what is recorded ${words}`)).length
      await until(() => said() > 0)
      assert.equal(said(), 1, words)
    }
  })

  it('does so when PostgreSQL is killed, too, and follows it again', async (t) => {
    const server = await start(t, await cluster.newSchema())
    await post(server.url, aBody({ last_check: now() }))

    await cluster.kill()
    const killedAt = Date.now()
    await until(async () => (await get(server.url, '/api/v1/status')).headers.get('age') !== null)
    const { body } = await get(server.url, '/status.json')
    assert.ok(Date.parse(body.generated_at) <= killedAt)

    await cluster.start()
    await until(async () => (await get(server.url, '/api/v1/status')).headers.get('age') === null)
    assert.ok(Date.parse((await get(server.url, '/status.json')).body.generated_at) > killedAt - 1_000)
  })
})
