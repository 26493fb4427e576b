import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { aBody } from './a-report.ts'
import { post } from './start-app.ts'
import { startServer } from './start-server.ts'

let directory: string
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'gitops-status-log-'))
})
after(() => rmSync(directory, { recursive: true }))

describe('the log of a server', () => {
  it('has every line, in order, when it is told to stop', async () => {
    const server = await startServer({ database: join(directory, 'json.db'), args: ['--shutdown-wait', '0'] })
    for (const name of ['a', 'b', 'c']) await post(server.url, aBody({ server: name }))
    assert.equal(await server.end('SIGTERM'), 0)

    const lines = server.lines.map((line) => JSON.parse(line))
    assert.deepEqual(
      lines.map(({ msg, server }) => server ?? msg),
      [
        `ready at ${server.url}`,
        'anybody who reaches this server may report: make a token',
        'a',
        'b',
        'c',
        'stopping',
        'stopped',
      ],
    )
    for (const { level, time } of lines) assert.ok(/^(info|warn)$/.test(level) && !Number.isNaN(Date.parse(time)))
  })

  it('is for people when it is asked to be', async () => {
    const server = await startServer({
      database: join(directory, 'text.db'),
      args: ['--shutdown-wait', '0', '--log-format', 'text'],
    })
    await post(server.url, aBody(), { 'user-agent': 'gitops-status/0.1.0 (Woodpecker)' })
    assert.equal(await server.end('SIGTERM'), 0)
    assert.match(server.lines.join('\n'), /^[\d:.]+Z INFO {2}POST \/api\/status from Woodpecker repo=rsyslog/m)
  })
})
