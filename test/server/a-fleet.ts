import { aBody, aFailure } from './a-report.ts'
import { type AppUnderTest, post, startTestApp } from './start-app.ts'

/** A server that has lived through an hour and a half with one target of each kind. */
export async function startFleet(): Promise<AppUnderTest> {
  const app = await startTestApp({ at: '2026-04-21T09:00:00Z' })
  const CLEAN = { server: 'clean', revision: { commit: '4a1c9d2e', branch: 'main' }, coverage: coverage(12, 12) }
  const PIPELINE = { url: 'https://ci.example/repos/7/pipeline/41', number: 41, event: 'cron' }
  const DRIFT = [
    {
      name: 'rsyslog.conf',
      change: 'modified' as const,
      modified_at: '2026-04-21T09:17:03Z',
      modified_by: 'root',
      cause: 'SERVER_CHANGED' as const,
    },
    {
      name: 'rsyslog.d/30-lab.conf',
      path: '/etc/rsyslog.d/30-lab.conf',
      change: 'missing' as const,
      cause: 'PENDING_DEPLOY' as const,
    },
  ]
  const watched = { watched: 41, unwatched: [{ name: 'Install rsyslog', reason: 'no_path' }] }
  const FAST = {
    server: 'drifted',
    files: DRIFT,
    pipeline: PIPELINE,
    cause: 'BOTH' as const,
    coverage: { ...coverage(47, 47), ...watched, full_check_at: '2026-04-21T09:29:30Z' },
    check: { method: 'fast' as const },
  }
  await post(app.url, [
    aBody({ ...CLEAN, last_check: '2026-04-21T09:00:00Z' }),
    aBody({ server: 'drifted', last_check: '2026-04-21T09:00:00Z' }),
    aBody({ server: 'failed', last_check: '2026-04-21T08:59:30Z' }),
    aBody({ server: 'silent', last_check: '2026-04-21T09:00:00Z', files: [{ name: '=HYPERLINK("http://x")' }] }),
  ])
  app.advance(30 * 60)
  await post(app.url, [
    aBody({ ...CLEAN, last_check: '2026-04-21T09:30:00Z', pipeline: PIPELINE }),
    aBody({ ...FAST, last_check: '2026-04-21T09:30:00Z' }),
    aFailure({ server: 'failed', last_check: '2026-04-21T09:29:45.250Z', interval_seconds: 7_200 }),
    aBody({
      repo: 'owner/web',
      server: 'drifted',
      last_check: '2026-04-21T09:30:00Z',
      interval_seconds: 7_200,
      files: [{ name: 'nginx : reload', kind: 'resource' }],
    }),
  ])
  app.advance(60 * 60)
  await post(app.url, [
    aBody({ ...CLEAN, last_check: '2026-04-21T10:30:00Z', run_id: 'r-3', duration_ms: 5_210 }),
    aBody({
      ...FAST,
      last_check: '2026-04-21T10:29:50Z',
      coverage: { ...FAST.coverage, full_check_at: '2026-04-21T10:15:50Z' },
      check: { method: 'fast', disagreement: 'The full check found /etc/rsyslog.conf as it should be' },
    }),
  ])
  return app
}

function coverage(checked: number, total: number) {
  return { checked, total, unchecked: [] }
}
