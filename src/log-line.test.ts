import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readableLine } from './log-line.ts'

const lineOf = (fields: object) =>
  readableLine(JSON.stringify({ level: 'info', time: '2026-04-21T10:30:00.123Z', ...fields }))

describe('a line for people', () => {
  it('has what happened first and the fields after it', () => {
    assert.equal(
      lineOf({ repo: 'rsyslog', drift_count: 2, warnings: [], msg: 'POST /api/status from Woodpecker' }),
      '10:30:00.123Z INFO  POST /api/status from Woodpecker repo=rsyslog drift_count=2 warnings=[]\n',
    )
  })

  it('has a command to copy, and a stack to read, below it', () => {
    const command = `curl -d '{"repo":"rsyslog"}' http://127.0.0.1:8080/api/status ${'-'.repeat(20)}`
    assert.equal(lineOf({ try: command, msg: 'ready' }), `10:30:00.123Z INFO  ready\n    try: ${command}\n`)
    assert.equal(
      lineOf({ err: { message: 'bad', stack: 'Error: bad\n    at x' }, msg: 'failed' }),
      '10:30:00.123Z INFO  failed\n    err: Error: bad\n        at x\n',
    )
  })

  it('hands no control character to the terminal', () => {
    const line = lineOf({ path: '/\u001b[2J\u202e\u009b', msg: 'a\u0007\nb' })
    assert.equal(line, '10:30:00.123Z INFO  a\\u{7}\\u{a}b path=/\\u{1b}[2J\\u{202e}\\u{9b}\n')
  })
})
