import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { WrongSettings } from '../wrong-settings.ts'
import { readWatchSettings } from './watch-settings.ts'

const ENV = { HOME: '/home/x', REPO_NAME: 'app', GITOPS_STATUS_SERVER_URL: 'http://127.0.0.1:8080' }

function problemsOf(args: readonly string[], env: Record<string, string> = ENV): readonly string[] {
  try {
    readWatchSettings(args, env, false)
    return []
  } catch (error) {
    assert.ok(error instanceof WrongSettings)
    return error.problems
  }
}

describe('the settings of a watch', () => {
  it('are those of a fast report, and its own', () => {
    const { fast, lookEveryMs, pull, ansibleArgs } = readWatchSettings(
      ['--pull', '--look-every', '3', '--full-every=60', '--', '--forks', '50'],
      ENV,
      false,
    )
    assert.deepEqual([lookEveryMs, pull, ansibleArgs], [3_000, true, ['--forks', '50']])
    const stateDirectory = '/home/x/.local/state/gitops-status'
    assert.deepEqual(fast, { stateDirectory, key: null, fullEveryMs: 60_000, blame: true })
    const quiet = readWatchSettings([], { ...ENV, GITOPS_STATUS_LOOK_EVERY: '7' }, false)
    assert.deepEqual([quiet.lookEveryMs, quiet.pull], [7_000, false])
    assert.equal(readWatchSettings([], ENV, false).lookEveryMs, null)
  })

  it('name all that is wrong with them at once', () => {
    assert.deepEqual(problemsOf(['--dry-run', '--look-every', '0.5'], { GITOPS_STATUS_PUSHGATEWAY_URL: 'http://x' }), [
      'unknown flag --dry-run',
      '--fast needs --state-dir, or HOME',
      '--look-every must be a whole number of seconds from 1 to 3600, not "0.5"',
      'REPO_NAME is not set',
      'GITOPS_STATUS_SERVER_URL is not set',
      'watch does not push to a Pushgateway; report does',
    ])
  })
})
