import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { aBody } from './a-report.ts'
import { get, post, startTestApp } from './start-app.ts'

const disk = mkdtempSync(join(tmpdir(), 'gitops-status-disk-'))
const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk]).status === 0

describe('a full disk', { skip: !isMounted && 'may not mount a small disk here (needs root)' }, () => {
  let app: Awaited<ReturnType<typeof startTestApp>>
  before(async () => {
    app = await startTestApp({ databaseUrl: `sqlite:${join(disk, 'gitops-status.db')}` })
  })
  after(async () => {
    await app.stop()
  })

  it('is told with 503, leaves what was stored on show, and is over when there is room again', async () => {
    await post(app.url, aBody({ server: 'before' }))
    spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'filler')}`, 'bs=64k'])

    const files = [{ name: 'a', diff: 'x'.repeat(60_000) }]
    const refused = await post(
      app.url,
      Array.from({ length: 60 }, (_, n) => aBody({ server: `s${n}`, files })),
    )
    assert.equal(refused.status, 503)
    assert.equal(refused.body.type, 'urn:gitops-status:problem:store_unavailable')
    assert.equal(refused.headers.get('retry-after'), '5')
    assert.ok(!JSON.stringify(refused.body).includes(disk), 'our paths are nobody’s business')
    assert.equal(app.log.findLast(({ level }) => level === 'error')?.fields.status, 503)

    assert.equal((await get(app.url, '/livez')).status, 200)
    assert.equal((await get(app.url, '/status.json')).body.target_count, 1)

    writeFileSync(join(disk, 'filler'), '')
    app.advance(2)
    assert.equal((await get(app.url, '/readyz')).status, 200)
    assert.equal((await post(app.url, aBody({ server: 'after' }))).status, 200)
    assert.equal((await get(app.url, '/status.json')).body.target_count, 2)
  })
})

after(() => {
  if (isMounted) spawnSync('umount', [disk])
  rmSync(disk, { recursive: true, force: true })
})
